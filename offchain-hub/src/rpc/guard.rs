//! Who may ask what, and how often.
//!
//! There are three tokens, each in a file of its own. A token is recognised before a request is read;
//! what it may do is judged by the table of [`methods`](super::methods), and what is not in that table
//! nobody may do.

use super::methods;
use crate::metrics::Counters;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jsonrpsee::{
    core::middleware::{Batch, Notification, RpcServiceT},
    server::{HttpBody, HttpRequest, HttpResponse, MethodResponse},
    types::{ErrorObjectOwned, Request},
};
use rand::RngCore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    future::Future,
    num::NonZeroU32,
    sync::{
        atomic::{AtomicU32, Ordering},
        Arc, Mutex, PoisonError,
    },
};
use subtle::ConstantTimeEq;
use tower_http::validate_request::ValidateRequest;

/// What a token allows. A higher scope allows what the lower ones do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking.
    Read,
    /// Moving money.
    Spend,
    /// Everything.
    Admin,
}

impl Scope {
    /// All of them, the highest first.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Spend, Self::Read];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Spend => "spend",
            Self::Admin => "admin",
        }
    }
}

/// The token's scope is too small for the method.
pub const FORBIDDEN: i32 = 1006;
/// More requests than the token may make in a second.
pub const TOO_MANY: i32 = 1007;

/// A secret that a client shows. Its debug output does not.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// A new one, of 32 random bytes.
    pub fn generate() -> Self {
        let mut secret = [0; 32];
        rand::rngs::OsRng.fill_bytes(&mut secret);
        Self(hex::encode(secret))
    }

    /// The text that goes behind `Bearer `.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Requests in a second with one token; 0: as many as it likes. May change while the server runs.
#[derive(Clone, Debug, Default)]
pub struct RequestQuota(Arc<AtomicU32>);

impl RequestQuota {
    /// Holds from the next request on.
    pub fn set(&self, per_second: u32) {
        self.0.store(per_second, Ordering::Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often a token may be used, and the quota that this was made for.
#[derive(Default)]
struct Meter(Mutex<(u32, Option<DefaultDirectRateLimiter>)>);

impl Meter {
    fn admits(&self, quota: u32) -> bool {
        // Both parts are replaced together, whoever panicked.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != quota {
            let limiter = NonZeroU32::new(quota).map(|n| RateLimiter::direct(Quota::per_second(n)));
            *known = (quota, limiter);
        }
        known.1.as_ref().is_none_or(|limiter| limiter.check().is_ok())
    }
}

/// Knows the tokens of a running server.
#[derive(Clone)]
pub struct Guard {
    tokens: Arc<[(Scope, Token, Meter)]>,
    quota: RequestQuota,
    counters: Counters,
}

impl Guard {
    /// New tokens, one for each scope.
    pub fn new(quota: RequestQuota, counters: Counters) -> Self {
        let token = |scope: Scope| (scope, Token::generate(), Meter::default());
        Self { tokens: Scope::ALL.into_iter().map(token).collect(), quota, counters }
    }

    /// The tokens by scope.
    pub fn tokens(&self) -> impl Iterator<Item = (Scope, &Token)> {
        self.tokens.iter().map(|(scope, token, _)| (*scope, token))
    }

    fn judge(&self, request: &Request<'_>) -> Result<(), ErrorObjectOwned> {
        // Every request that reaches this has passed `validate`.
        let scope = request.extensions.get::<Scope>().copied();
        let refused = |code, text: String| Err(ErrorObjectOwned::owned(code, text, None::<()>));
        let Some(scope) = scope else { return refused(FORBIDDEN, "show a token".into()) };
        let method = request.method.as_ref();
        let meter = self.tokens.iter().find(|(of, ..)| *of == scope).map(|(.., meter)| meter);
        let quota = self.quota.get();
        if !meter.is_some_and(|meter| meter.admits(quota)) {
            self.counters.requested(scope.name(), "too_many");
            let text = format!(
                "more than {quota} requests in a second with the {} token: slow down",
                scope.name()
            );
            return refused(TOO_MANY, text);
        }
        let Some(needed) = methods::scope(method) else {
            self.counters.requested(scope.name(), "forbidden");
            return refused(FORBIDDEN, format!("there is no method {method}: see rpc.discover"));
        };
        if scope < needed {
            self.counters.requested(scope.name(), "forbidden");
            let text = format!(
                "{method} needs the {} token; this is the {} token",
                needed.name(),
                scope.name()
            );
            return refused(FORBIDDEN, text);
        }
        self.counters.requested(scope.name(), "taken");
        Ok(())
    }
}

/// Recognises the token of a request, for [`Guarded`] to judge its calls by.
impl<B> ValidateRequest<B> for Guard {
    type ResponseBody = HttpBody;

    fn validate(&mut self, request: &mut HttpRequest<B>) -> Result<(), HttpResponse> {
        let shown = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let matches = |token: &Token| bool::from(token.0.as_bytes().ct_eq(shown.as_bytes()));
        let found = self.tokens().find(|(_, token)| matches(token)).map(|(scope, _)| scope);
        let Some(scope) = found else {
            let text = "show a token of rpc.json, rpc.spend.json or rpc.read.json as Bearer\n";
            let mut refused = HttpResponse::new(HttpBody::from(text));
            *refused.status_mut() = hyper::StatusCode::UNAUTHORIZED;
            return Err(refused);
        };
        request.extensions_mut().insert(scope);
        Ok(())
    }
}

/// Lets calls through that their token allows.
#[derive(Clone)]
pub struct Guarded<S> {
    /// Carries them out.
    pub service: S,
    /// Judges them.
    pub guard: Guard,
}

impl<S> RpcServiceT for Guarded<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            NotificationResponse = MethodResponse,
            BatchResponse = MethodResponse,
        > + Send
        + Sync
        + Clone
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let judged = self.guard.judge(&request);
        let service = self.service.clone();
        async move {
            match judged {
                Ok(()) => service.call(request).await,
                Err(error) => MethodResponse::error(request.id, error),
            }
        }
    }

    fn batch<'a>(&self, _: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        // The server takes no batches; if it did, their calls would not be judged.
        let error = ErrorObjectOwned::owned(FORBIDDEN, "send requests one by one", None::<()>);
        async move { MethodResponse::error(jsonrpsee::types::Id::Null, error) }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(notification)
    }
}

#[cfg(test)]
mod tests;
