//! What dishonest parties do to the messages of an honest program.

use failsafe_channel::{Message, Transition};

/// In what a party does not keep to the protocol. Its program is honest; what it sends is not what
/// its partners get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vice {
    None,
    /// Its locks are never settled off chain.
    NoSettle,
    /// Neither settles nor takes back: its locks stay pending, and what it signs later leaves a gap.
    NoClean,
    /// It acknowledges nothing by itself.
    NoAck,
    /// It tells no secrets and no failures.
    NoAnswer,
    /// It says that it does not claim a lock, takes no notice of the cancel, and claims the lock on
    /// chain.
    FailThenClaim,
    /// It signs no withdrawals, and does not refuse them either.
    NoProof,
    /// It never covers what it has paid without a signature.
    NoSign,
    /// It tells secrets when it is too late to bring them to the chain, or nearly so, and does not
    /// bring them there itself.
    LateAnswer,
}

impl Vice {
    pub(super) fn withholds(self, message: &Message) -> bool {
        let settles = |step: &Transition| matches!(step, Transition::Settle { .. });
        let cleans = |step: &Transition| {
            settles(step) || matches!(step, Transition::Cancel { .. } | Transition::Expire { .. })
        };
        let covers = |message: &Message| matches!(message, Message::Update(update) if update.transitions.is_empty());
        match self {
            Self::None | Self::FailThenClaim => false,
            Self::LateAnswer => matches!(message, Message::Fulfill { .. }),
            Self::NoProof => matches!(message, Message::Proof { .. } | Message::Refused { .. }),
            Self::NoSign => covers(message),
            Self::NoSettle => takes_a_step(message, settles),
            Self::NoClean => takes_a_step(message, cleans),
            Self::NoAck => matches!(message, Message::Ack { .. }),
            Self::NoAnswer => matches!(message, Message::Fulfill { .. } | Message::Fail { .. }),
        }
    }

    /// What it sends instead.
    pub(super) fn twist(self, message: Message) -> Message {
        match (self, message) {
            (Self::FailThenClaim, Message::Fulfill { epoch, id, .. }) => {
                Message::Fail { epoch, id, reason: Default::default() }
            },
            (_, message) => message,
        }
    }

    /// Whether it takes no notice of a message.
    pub(super) fn ignores(self, message: &Message) -> bool {
        let cancels = |step: &Transition| matches!(step, Transition::Cancel { .. });
        self == Self::FailThenClaim && takes_a_step(message, cancels)
    }
}

/// Whether a message is an update with a transition of a kind.
pub(super) fn takes_a_step(message: &Message, of_kind: impl Fn(&Transition) -> bool) -> bool {
    matches!(message, Message::Update(update) if update.transitions.iter().any(of_kind))
}
