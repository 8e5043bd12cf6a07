//! What somebody wants a party to do, and what comes of it.

use super::{
    locks::{
        incoming::{Invoice, InvoiceState},
        outgoing::{LockedOrder, Outgoing},
    },
    mode::Mode,
    orders::StandingOrder,
    policy::Policy,
    records::{why, Failures, PaymentRecord},
    vitals::Vitals,
};
use crate::{chain::Call, rebalance::Plan};
use failsafe_channel::{
    message::RefusalReason, AssetTerms, Moment, PaymentId, Refusal, ReturnReason, Summary,
};
use failsafe_primitives::{
    fees::HubFees, simplex::LockHash, AccountId, AssetId, Balance, Clock, Epoch, Parameters,
};
use failsafe_routing::{Graph, NoRoute};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where the answer to a command goes.
pub type Reply = oneshot::Sender<Result<Answer, CommandError>>;

/// What somebody wants the party to do.
#[derive(Debug)]
pub enum Command {
    /// Pay `to`, through `via` unless they are the same.
    Pay {
        /// Names the payment; the same name is never paid twice.
        id: PaymentId,
        /// The partner that is paid or forwards.
        via: AccountId,
        /// Who is paid.
        to: AccountId,
        /// The asset.
        asset: AssetId,
        /// What arrives.
        amount: Balance,
        /// What `via` asks for forwarding.
        fees: HubFees,
    },
    /// Pay with locks.
    PayLocked(Box<LockedOrder>),
    /// Wait for a payment with locks that is under way.
    AwaitLocked {
        /// Its name.
        id: PaymentId,
    },
    /// Remember what we want to be paid.
    Invoice(Box<Invoice>),
    /// Where an invoice of ours stands.
    InvoiceState {
        /// Its hash.
        hash: LockHash,
    },
    /// A payment of ours with locks.
    Locked {
        /// Its hash.
        hash: LockHash,
    },
    /// Remember a standing order; the same again is the same one.
    AddOrder {
        /// Names it.
        id: PaymentId,
        /// The order.
        order: Box<StandingOrder>,
    },
    /// Cancel a standing order.
    CancelOrder {
        /// Its name.
        id: PaymentId,
    },
    /// All standing orders.
    Orders,
    /// What is to be paid now for a standing order.
    NextInstalment {
        /// Its name.
        order: PaymentId,
    },
    /// What is known of chain and network.
    Survey,
    /// State terms to a partner, now and in every epoch.
    SetTerms {
        /// The partner.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
        /// The terms.
        terms: AssetTerms,
    },
    /// Withdraw with the partner's proof, and deposit at once elsewhere if asked to.
    Withdraw {
        /// The partner.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
        /// A deposit in the same batch: beneficiary, its partner, and the pair's epoch.
        deposit_to: Option<(AccountId, AccountId, Option<Epoch>)>,
    },
    /// Submit a call of the user.
    Submit(Box<Call>),
    /// Take a partner to the chain.
    Dispute {
        /// The partner.
        partner: AccountId,
    },
    /// Take a partner to the chain by a copy that was restored from a backup, although the partner
    /// has not shown yet what it knows.
    DisputeByRestoredCopy {
        /// The partner.
        partner: AccountId,
    },
    /// Close a channel by agreement.
    Close {
        /// The partner.
        partner: AccountId,
        /// Let the partner submit it.
        partner_submits: bool,
    },
    /// Ask a hub for insurance.
    RequestInsurance {
        /// The hub.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
    },
    /// Pay a hub for insurance of what it owes us.
    PayForInsurance {
        /// Names the payment.
        id: PaymentId,
        /// The hub.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
        /// What it gets.
        fee: Balance,
        /// Usable blocks that it has for it.
        within: Clock,
    },
    /// Start a rebalance round, or only plan it.
    Rebalance {
        /// Plan only.
        dry_run: bool,
    },
    /// Where the rebalancing stands.
    RebalanceStatus,
    /// Channels: those that were stored when the party started in the order of their partners, then
    /// those that have come since.
    Channels {
        /// Only the one with this partner.
        of: Option<AccountId>,
        /// At most so many.
        most: usize,
    },
    /// The newest payments.
    Payments {
        /// At most this many.
        limit: usize,
    },
    /// One payment.
    Payment {
        /// Its name.
        id: PaymentId,
    },
    /// Where the party stands.
    Standing,
    /// What an operator watches.
    Vitals,
    /// Change what a hub takes.
    SetMode(Mode),
    /// Behave otherwise from now on.
    SetPolicy(Box<Policy>),
}

impl Command {
    /// The partner whose channel it needs.
    pub(super) fn partner(&self) -> Option<&AccountId> {
        match self {
            Self::Pay { via: partner, .. }
            | Self::SetTerms { partner, .. }
            | Self::Withdraw { partner, .. }
            | Self::Dispute { partner }
            | Self::DisputeByRestoredCopy { partner }
            | Self::Close { partner, .. }
            | Self::RequestInsurance { partner, .. }
            | Self::PayForInsurance { partner, .. } => Some(partner),
            Self::PayLocked(order) => order.parts.first().map(|part| &part.via),
            Self::AwaitLocked { .. }
            | Self::Invoice(_)
            | Self::InvoiceState { .. }
            | Self::Locked { .. }
            | Self::AddOrder { .. }
            | Self::CancelOrder { .. }
            | Self::Orders
            | Self::NextInstalment { .. }
            | Self::Survey
            | Self::Submit(_)
            | Self::Rebalance { .. }
            | Self::RebalanceStatus
            | Self::Channels { .. }
            | Self::Payments { .. }
            | Self::Payment { .. }
            | Self::Standing
            | Self::Vitals
            | Self::SetMode(_)
            | Self::SetPolicy(_) => None,
        }
    }
}

/// What a command comes to.
#[derive(Debug)]
pub enum Answer {
    /// It is done; nothing to tell.
    Done,
    /// A payment and where it stands.
    Payment(PaymentId, PaymentRecord),
    /// The hash of an invoice, and where it stands.
    Invoice(LockHash, InvoiceState),
    /// A payment of ours with locks.
    Locked(Box<Outgoing>),
    /// All standing orders.
    Orders(Vec<(PaymentId, StandingOrder)>),
    /// Name of the payment that is to be made for a standing order, unless it is not due.
    Instalment(Option<(PaymentId, StandingOrder)>),
    /// What is known of chain and network.
    Survey(Box<Survey>),
    /// It is final on chain in this block.
    OnChain(u32),
    /// Channels.
    Channels(Vec<ChannelReport>),
    /// Payments, the newest first.
    Payments(Vec<(PaymentId, PaymentRecord)>),
    /// A rebalance plan.
    Plan(Plan),
    /// Where the rebalancing stands.
    Rebalance(String),
    /// Where the party stands.
    Standing(Standing),
    /// What an operator watches.
    Vitals(Box<Vitals>),
}

/// What a party knows of chain and network.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The chain's parameters.
    pub parameters: Parameters,
    /// The network of hubs.
    pub graph: Arc<Graph>,
    /// Newest best block.
    pub best: Moment,
    /// Newest finalized block.
    pub finalized: Moment,
}

/// Where the party stands with the chain.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Newest finalized block.
    pub finalized: Moment,
    /// Newest best block.
    pub best: Moment,
    /// Whether the best block is recent.
    pub fresh: bool,
    /// Calls on their way to the chain.
    pub pending_calls: usize,
    /// Partners with a channel.
    pub channels: usize,
    /// Partners connected now.
    pub connected: usize,
    /// What a hub takes.
    pub mode: Mode,
    /// Which process of its hub it is, if the hub has several.
    pub process: Option<ProcessStanding>,
}

/// One process of a hub that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessStanding {
    /// Its number, from 0 on.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// How many of the others are connected.
    pub connected: usize,
}

/// A channel for people.
#[derive(Clone, Debug)]
pub struct ChannelReport {
    /// The partner.
    pub partner: AccountId,
    /// Who owns what.
    pub summary: Summary,
    /// What the partner owes us on chain.
    pub owed_to_me: Vec<(AssetId, Balance)>,
    /// What the partner did wrong, if it did.
    pub fault: Option<String>,
    /// The partner is a hub that retires, and may leave from this usable clock on.
    pub leaves_at: Option<Clock>,
}

/// Why a command fails. Nothing has changed, unless it says so.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    /// No channel with this account.
    #[error("there is no channel with {0}: connect to it first")]
    UnknownPartner(AccountId),
    /// The channel is another process's.
    #[error("the channel with {partner} belongs to process {number} of this hub: ask that one")]
    OtherProcess {
        /// With whom.
        partner: AccountId,
        /// Whose it is.
        number: usize,
    },
    /// The partner is not connected.
    #[error("{0} is not connected: it has to answer")]
    NotConnected(AccountId),
    /// The channel does not allow it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The payment came back.
    #[error("the payment came back: {}; nothing was lost", why(*.0))]
    Returned(ReturnReason),
    /// A payment with locks came to nothing.
    #[error("the payment failed: {0}; nothing was lost")]
    Failed(Failures),
    /// Parts of a payment came to nothing; the others are pending.
    #[error("parts of the payment failed: {failures}; the others are pending")]
    PartFailed {
        /// Why.
        failures: Failures,
        /// What no part brings to the recipient now.
        missing: Balance,
    },
    /// No way to the recipient.
    #[error("no route to the recipient: {0}")]
    NoRoute(NoRoute),
    /// The hash of a payment is not paid twice.
    #[error("this invoice is being paid, or was: no invoice is paid twice")]
    HashUsed,
    /// There is no such invoice.
    #[error("there is no such invoice of ours")]
    UnknownInvoice,
    /// Another payment has this name.
    #[error("there is another payment {0}: no name is used for two, choose a new one")]
    Duplicate(PaymentId),
    /// There is no such payment.
    #[error("there is no payment {0}")]
    UnknownPayment(PaymentId),
    /// The node does not deliver blocks.
    #[error("the node has shown no new block for a while: nothing is paid before it does")]
    Stale,
    /// The partner does not sign.
    #[error("the partner refused: {0:?}")]
    PartnerRefused(RefusalReason),
    /// The chain refused it.
    #[error("the chain refused it: {0}")]
    Chain(String),
    /// Nobody can tell what became of a call.
    #[error("{0}")]
    Uncertain(String),
    /// It has become pointless.
    #[error("the channel has moved on to another epoch: it has become pointless")]
    Pointless,
    /// Something of the kind is under way.
    #[error("{0} is under way already: wait for it")]
    Busy(&'static str),
    /// Too much money for the numbers.
    #[error("the amount is too large")]
    Overflow,
    /// Only hubs do this.
    #[error("only a hub does this")]
    NotAHub,
    /// The party has stopped.
    #[error("the party has stopped")]
    Stopped,
    /// No answer in time.
    #[error("no answer in time; what was signed stays signed: look at the status")]
    Timeout,
    /// Anything that is wrong with a request before it reaches the channels.
    #[error("{0}")]
    Invalid(String),
}
