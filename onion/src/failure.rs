//! Failures on their way back (`docs/onion.md` §6).
//!
//! A hop cannot know how far it is from the payer. So it makes one tag for each place that it may
//! have, over the body and over those tags of the hops behind that the payer will still have if
//! that is its place. Every hop on the way drops the tags that have become impossible.

use crate::{
    keys::{hmac, stream},
    HopSecret, Unreadable, FAILURE_SIZE, MAX_HOPS,
};
use chacha20::cipher::StreamCipher;
use codec::{Decode, Encode};
use hmac::Mac;
use subtle::ConstantTimeEq;

/// Bytes of a report: its MAC and its padded reason.
const BODY_SIZE: usize = MAC_SIZE + REASON_SIZE;
const MAC_SIZE: usize = 32;
const REASON_SIZE: usize = 36;
/// Bytes of a tag. Tags only tell who garbled a report, a report itself has a whole MAC.
const TAG_SIZE: usize = 4;
const TAG_COUNT: usize = MAX_HOPS * (MAX_HOPS + 1) / 2;

const _: () = assert!(BODY_SIZE + TAG_COUNT * TAG_SIZE == FAILURE_SIZE);

/// What a hop that cannot peel a packet answers in clear, in place of a failure: nothing.
pub const REJECTED: &[u8] = &[];

/// Why a hop does not take a payment. Codec indices are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Reason {
    /// The hop has no channel with the next account.
    #[codec(index = 0)]
    UnknownNext,
    /// The hop cannot send so much to the next one.
    #[codec(index = 1)]
    Capacity {
        /// The outgoing asset.
        asset: u32,
    },
    /// What is left over for the hop is below its fee.
    #[codec(index = 2)]
    FeeTooLow,
    /// The lock ends too soon, or too few usable blocks after the outgoing one.
    #[codec(index = 3)]
    ExpiryTooSoon,
    /// The lock would hold money for too long.
    #[codec(index = 4)]
    ExpiryTooFar,
    /// The hop or the next one does not take this asset.
    #[codec(index = 5)]
    AssetNotAccepted,
    /// The channel to the next hop is frozen.
    #[codec(index = 6)]
    Frozen,
    /// The channel to the next hop holds as many locks as it may.
    #[codec(index = 7)]
    TooManyLocks,
    /// The next hop is not connected, or the hop is busy or stopping.
    #[codec(index = 8)]
    Unavailable,
    /// Below the smallest amount that the hop forwards.
    #[codec(index = 9)]
    TooSmall,
    /// The next hop could not peel the packet, or answered what is no failure. One of the two is
    /// at fault, and the payer cannot tell which.
    #[codec(index = 10)]
    Malformed,
    /// From the recipient: no such invoice, or not this payment secret.
    #[codec(index = 11)]
    UnknownPayment,
    /// From the recipient: not what the invoice asks for, or less than the payer's instructions.
    #[codec(index = 12)]
    WrongAmount,
    /// From the recipient: paid before.
    #[codec(index = 13)]
    AlreadyPaid,
    /// From the recipient: the other parts did not come in time.
    #[codec(index = 14)]
    Timeout,
    /// The hop could peel the packet, but its instructions are none, or not for such a node.
    #[codec(index = 15)]
    Instructions,
}

/// The failure that the failing hop sends to the hop before it: [`FAILURE_SIZE`] bytes.
///
/// A hop answers a packet once. Who has to repeat an answer repeats its bytes: two reasons under
/// one secret would show the hop before in what they differ.
pub fn fail(shared: &HopSecret, reason: &Reason) -> Vec<u8> {
    let mut failure = Failure { body: [0; BODY_SIZE], tags: [[0; TAG_SIZE]; TAG_COUNT] };
    let (mac, padded) = failure.body.split_at_mut(MAC_SIZE);
    reason.using_encoded(|bytes| padded[..bytes.len()].copy_from_slice(bytes));
    mac.copy_from_slice(&report_mac(shared, padded).finalize().into_bytes());
    failure.seal(shared)
}

/// What a hop sends back when the next hop has sent it `failure`: always [`FAILURE_SIZE`] bytes.
///
/// It never looks into the failure. What has another length, so also [`REJECTED`], becomes this
/// hop's own report [`Reason::Malformed`].
pub fn wrap(shared: &HopSecret, failure: &[u8]) -> Vec<u8> {
    match Failure::from_bytes(failure) {
        Some(failure) => failure.shifted().seal(shared),
        None => fail(shared, &Reason::Malformed),
    }
}

/// What the payer keeps of a route while the payment is under way, to read a failure with. SCALE.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct RouteKeys(Vec<HopSecret>);

impl RouteKeys {
    /// The caller has checked the number of hops.
    pub(crate) fn new(hops: Vec<HopSecret>) -> Self {
        Self(hops)
    }

    /// The secrets, the first hop's first.
    pub fn hops(&self) -> &[HopSecret] {
        &self.0
    }

    /// Who reports what: the index of the hop, from 0, and its reason.
    ///
    /// # Errors
    /// [`Unreadable`], with those who can be at fault, when no hop of the route made the report.
    pub fn open(&self, failure: &[u8]) -> Result<(usize, Reason), Unreadable> {
        if failure == REJECTED {
            return Err(Unreadable::Rejected);
        }
        let mut failure =
            Failure::from_bytes(failure).ok_or(Unreadable::Garbled { first: 0, last: 0 })?;
        let mut report = None;
        let mut garbled = None;
        // All hops, also after a find: the time it takes should not tell the index.
        for (index, shared) in self.0.iter().enumerate() {
            failure.apply_stream(shared);
            if failure.is_report(shared) {
                report = report.or(Some((index, failure.reason())));
            } else if !bool::from(failure.tag(shared, index).ct_eq(&failure.tags[at(0, index)])) {
                garbled = garbled.or(Some((index.saturating_sub(1), index)));
            }
            failure = failure.unshifted();
        }
        let last = self.0.len() - 1;
        match (report, garbled) {
            (Some((index, Some(reason))), _) => Ok((index, reason)),
            // Signed by its MAC: nobody else can have written this.
            (Some((index, None)), _) => Err(Unreadable::Garbled { first: index, last: index }),
            (None, Some((first, last))) => Err(Unreadable::Garbled { first, last }),
            // The last hop has no hop behind it whose failure it could have passed on.
            (None, None) => Err(Unreadable::Garbled { first: last, last }),
        }
    }
}

impl Decode for RouteKeys {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let hops = Vec::decode(input)?;
        if hops.is_empty() || hops.len() > MAX_HOPS {
            return Err("not the keys of 1 to 10 hops".into());
        }
        Ok(Self(hops))
    }
}

/// Place of the tag of row `row` (0 is who wrote last, 1 the hop behind it, …) that is right if its
/// writer is the hop `index`. A writer with `row` hops before it has at least that index.
const fn at(row: usize, index: usize) -> usize {
    // Rows get shorter by one each: 10, 9, 8, …
    row * MAX_HOPS - row * row.saturating_sub(1) / 2 + index - row
}

struct Failure {
    body: [u8; BODY_SIZE],
    tags: [[u8; TAG_SIZE]; TAG_COUNT],
}

impl Failure {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != FAILURE_SIZE {
            return None;
        }
        let (body, tags) = bytes.split_first_chunk()?;
        let mut all = [[0; TAG_SIZE]; TAG_COUNT];
        all.as_flattened_mut().copy_from_slice(tags);
        Some(Self { body: *body, tags: all })
    }

    /// Adds the hop's tags and encrypts all.
    fn seal(mut self, shared: &HopSecret) -> Vec<u8> {
        for index in 0..MAX_HOPS {
            self.tags[at(0, index)] = self.tag(shared, index);
        }
        self.apply_stream(shared);
        [self.body.as_slice(), self.tags.as_flattened()].concat()
    }

    /// The tag of a hop that is at `index`.
    fn tag(&self, shared: &HopSecret, index: usize) -> [u8; TAG_SIZE] {
        let mut mac = hmac(&shared.expand(b"failsafe/onion/2/failure-tags"), &[&self.body]);
        (1..MAX_HOPS - index).for_each(|row| mac.update(&self.tags[at(row, index + row)]));
        let [a, b, c, d, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
        [a, b, c, d]
    }

    fn apply_stream(&mut self, shared: &HopSecret) {
        let mut stream = stream(&shared.expand(b"failsafe/onion/2/failure-stream"));
        stream.apply_keystream(&mut self.body);
        stream.apply_keystream(self.tags.as_flattened_mut());
    }

    /// Makes room for the tags of one more hop.
    fn shifted(&self) -> Self {
        let mut tags = [[0; TAG_SIZE]; TAG_COUNT];
        for row in 1..MAX_HOPS {
            for index in row..MAX_HOPS {
                tags[at(row, index)] = self.tags[at(row - 1, index)];
            }
        }
        Self { body: self.body, tags }
    }

    /// As it was before `shifted`; tags that were dropped are zero.
    fn unshifted(&self) -> Self {
        let mut tags = [[0; TAG_SIZE]; TAG_COUNT];
        for row in 1..MAX_HOPS {
            for index in row..MAX_HOPS {
                tags[at(row - 1, index)] = self.tags[at(row, index)];
            }
        }
        Self { body: self.body, tags }
    }

    fn is_report(&self, shared: &HopSecret) -> bool {
        let (mac, padded) = self.body.split_at(MAC_SIZE);
        report_mac(shared, padded).verify_slice(mac).is_ok()
    }

    fn reason(&self) -> Option<Reason> {
        let mut padded = &self.body[MAC_SIZE..];
        let reason = Reason::decode(&mut padded).ok()?;
        padded.iter().all(|byte| *byte == 0).then_some(reason)
    }
}

fn report_mac(shared: &HopSecret, padded: &[u8]) -> hmac::Hmac<sha2::Sha256> {
    hmac(&shared.expand(b"failsafe/onion/2/failure-mac"), &[padded])
}
