//! What is counted while it happens. Each is an atomic, or a lock that is held for some nanoseconds.

use crate::party::{Direction, PaymentRecord, PaymentState};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    collections::HashMap,
    sync::{atomic::AtomicU64, Arc},
    time::Duration,
};

/// Seconds from the signature of a payment to its delivery.
const LATENCY: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
/// Seconds of one durable commit.
const COMMIT: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// Inputs that became durable together.
const INPUTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// How the next hop is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// At once, trusting the hub.
    Plain,
    /// With a hash lock.
    Locked,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Locked];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Locked => "locked",
        }
    }
}

/// What happens to payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentEvent {
    /// One of ours was signed.
    Made,
    /// One was paid on, or locked onwards.
    Forwarded,
    /// One came in for us.
    Received,
    /// The recipient has it.
    Delivered,
    /// A plain one came back to us, or was given back by us.
    Returned,
    /// One with locks came to nothing, or was refused by us.
    Failed,
    /// Nobody can tell.
    Unknown,
}

impl PaymentEvent {
    fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Forwarded => "forwarded",
            Self::Received => "received",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PaymentLabels {
    direction: &'static str,
    kind: &'static str,
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    kind: &'static str,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    scope: &'static str,
    answer: &'static str,
}

fn latency() -> Histogram {
    Histogram::new(LATENCY.into_iter())
}

/// Some of a family, found without a lock and without its labels' texts.
type Frequent<K, M> = Arc<HashMap<K, M, ahash::RandomState>>;

/// What is counted since the start of the process. Copies count together.
#[derive(Clone)]
pub struct Counters {
    payments: Family<PaymentLabels, Counter>,
    /// Those of them that may rise with every payment.
    payments_often: Frequent<(Direction, Kind, PaymentEvent), Counter>,
    latency: Family<KindLabels, Histogram, fn() -> Histogram>,
    latency_often: Frequent<Kind, Histogram>,
    refused: Family<RefusalLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    calls_ended: Family<EndLabels, Counter>,
    secrets: Counter,
    commit_seconds: Histogram,
    commit_inputs: Histogram,
    throttled: Counter<f64, AtomicU64>,
    requests: Family<RequestLabels, Counter>,
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Out => "out",
        Direction::In => "in",
        Direction::Through => "through",
    }
}

impl Default for Counters {
    /// All at 0. Those whose labels are known are there from the start, so that the first event
    /// already is a rise.
    fn default() -> Self {
        let payments: Family<_, Counter> = Family::default();
        let latency: Family<_, _, fn() -> _> = Family::new_with_constructor(latency);
        use PaymentEvent::{Delivered, Failed, Forwarded, Made, Received, Returned};
        let often = [
            (Direction::Through, Kind::Plain, [Forwarded, Delivered, Returned]),
            (Direction::Through, Kind::Locked, [Forwarded, Delivered, Failed]),
            (Direction::Out, Kind::Plain, [Made, Delivered, Returned]),
            (Direction::Out, Kind::Locked, [Made, Delivered, Failed]),
            (Direction::In, Kind::Plain, [Received; 3]),
            (Direction::In, Kind::Locked, [Received; 3]),
        ];
        let often = often.into_iter().flat_map(|(way, kind, events)| {
            events.into_iter().map(move |event| (way, kind, event))
        });
        let payment = |(way, kind, event)| {
            let counter = payments.get_or_create(&payment_labels(way, kind, event)).clone();
            ((way, kind, event), counter)
        };
        let timed =
            |kind: Kind| (kind, latency.get_or_create(&KindLabels { kind: kind.name() }).clone());
        let counters = Self {
            payments_often: Arc::new(often.map(payment).collect()),
            latency_often: Arc::new(Kind::ALL.into_iter().map(timed).collect()),
            payments,
            latency,
            refused: Family::default(),
            calls: Family::default(),
            calls_ended: Family::default(),
            secrets: Counter::default(),
            commit_seconds: Histogram::new(COMMIT.into_iter()),
            commit_inputs: Histogram::new(INPUTS.into_iter()),
            throttled: Counter::default(),
            requests: Family::default(),
        };
        for call in ["insurance.dispute", "secrets.reveal", "batch.submit"] {
            drop(counters.calls.get_or_create(&CallLabels { call }));
        }
        counters
    }
}

fn payment_labels(way: Direction, kind: Kind, event: PaymentEvent) -> PaymentLabels {
    PaymentLabels { direction: direction(way), kind: kind.name(), event: event.name() }
}

impl Counters {
    /// Names them all.
    pub fn register(&self, to: &mut Registry) {
        to.register(
            "payments",
            "Payments by our part in them, by how they are paid, and by what happened",
            self.payments.clone(),
        );
        to.register_with_unit(
            "payment",
            "From the signature of a payment, or its lock, to its delivery",
            Unit::Seconds,
            self.latency.clone(),
        );
        to.register(
            "forwards_refused",
            "Payments that were not forwarded, by the reason that the payer was told",
            self.refused.clone(),
        );
        to.register("calls", "Calls that were submitted to the chain", self.calls.clone());
        to.register(
            "calls_ended",
            "Calls that have come to their end, by how",
            self.calls_ended.clone(),
        );
        to.register("secrets_revealed", "Secrets brought to the chain", self.secrets.clone());
        to.register_with_unit(
            "commit",
            "One durable commit: the write and the flush of the disk",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        to.register(
            "commit_inputs",
            "Inputs that became durable with one commit",
            self.commit_inputs.clone(),
        );
        to.register_with_unit(
            "peers_throttled",
            "Time for which peers above their quota were not read",
            Unit::Seconds,
            self.throttled.clone(),
        );
        to.register("rpc_requests", "Requests of clients by their scope", self.requests.clone());
    }

    /// Something happened to a payment.
    pub fn payment(&self, way: Direction, kind: Kind, event: PaymentEvent) {
        match self.payments_often.get(&(way, kind, event)) {
            Some(counter) => counter.inc(),
            None => self.payments.get_or_create(&payment_labels(way, kind, event)).inc(),
        };
    }

    /// A payment is recorded for the first time.
    pub(crate) fn recorded(&self, record: &PaymentRecord) {
        let (kind, event) = match (record.direction, record.state) {
            (Direction::Out, PaymentState::Sent) => (Kind::Plain, PaymentEvent::Made),
            (Direction::Out, PaymentState::Locked) => (Kind::Locked, PaymentEvent::Made),
            (Direction::Through, PaymentState::Sent) => (Kind::Plain, PaymentEvent::Forwarded),
            // With locks it is recorded at its end.
            (Direction::Through, PaymentState::Delivered) => {
                (Kind::Locked, PaymentEvent::Delivered)
            },
            _ => return,
        };
        self.payment(record.direction, kind, event);
    }

    /// A payment goes from one state to another.
    pub(crate) fn moved(&self, record: &PaymentRecord, to: PaymentState, now_ms: u64) {
        let kind = match record.state {
            PaymentState::Locked => Kind::Locked,
            _ => Kind::Plain,
        };
        let event = match to {
            PaymentState::Delivered => PaymentEvent::Delivered,
            PaymentState::Returned(_) => PaymentEvent::Returned,
            PaymentState::Failed(_) => PaymentEvent::Failed,
            PaymentState::Unknown => PaymentEvent::Unknown,
            _ => return,
        };
        self.payment(record.direction, kind, event);
        if event == PaymentEvent::Delivered {
            self.delivered(kind, now_ms.saturating_sub(record.at_ms));
        }
    }

    /// A payment took so long.
    pub(crate) fn delivered(&self, kind: Kind, took_ms: u64) {
        let took = Duration::from_millis(took_ms).as_secs_f64();
        match self.latency_often.get(&kind) {
            Some(latency) => latency.observe(took),
            None => self.latency.get_or_create(&KindLabels { kind: kind.name() }).observe(took),
        }
    }

    /// A payment was not forwarded. `reason` is the payer's reason as debug output: its fields are
    /// left out.
    pub(crate) fn refused(&self, kind: Kind, reason: &impl core::fmt::Debug) {
        let text = format!("{reason:?}");
        let reason = text.split([' ', '(', '{']).next().unwrap_or_default().to_string();
        self.refused.get_or_create(&RefusalLabels { kind: kind.name(), reason }).inc();
        let event = match kind {
            Kind::Plain => PaymentEvent::Returned,
            Kind::Locked => PaymentEvent::Failed,
        };
        self.payment(Direction::Through, kind, event);
    }

    /// A call goes to the chain; with so many secrets, if it is a reveal.
    pub(crate) fn submitted(&self, call: &'static str, secrets: usize) {
        self.calls.get_or_create(&CallLabels { call }).inc();
        self.secrets.inc_by(u64::try_from(secrets).unwrap_or(u64::MAX));
    }

    /// A call has come to its end.
    pub(crate) fn call_ended(&self, call: &'static str, outcome: &'static str) {
        self.calls_ended.get_or_create(&EndLabels { call, outcome }).inc();
    }

    /// `inputs` became durable at once.
    pub(crate) fn committed(&self, inputs: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        // At most some thousands.
        self.commit_inputs.observe(f64::from(u32::try_from(inputs).unwrap_or(u32::MAX)));
    }

    /// A peer above its quota was not read for so long.
    pub(crate) fn throttled(&self, pause: Duration) {
        self.throttled.inc_by(pause.as_secs_f64());
    }

    /// For how long peers were not read, seconds.
    pub fn throttled_seconds(&self) -> f64 {
        self.throttled.get()
    }

    /// A request was answered.
    pub(crate) fn requested(&self, scope: &'static str, answer: &'static str) {
        self.requests.get_or_create(&RequestLabels { scope, answer }).inc();
    }
}
