//! A real server with the guard before it, asked over real sockets. What the methods do is not the
//! question here: each tells its name.

use super::*;
use crate::rpc::methods::{names, EVENTS, OPERATOR, PARTY};
use jsonrpsee::{
    core::{
        client::{ClientT, SubscriptionClientT},
        middleware::RpcServiceBuilder,
        params::ObjectParams,
        ClientError,
    },
    http_client::{HeaderMap, HttpClient, HttpClientBuilder},
    server::{RpcModule, Server, ServerHandle},
    ws_client::WsClientBuilder,
};
use std::net::SocketAddr;
use tower_http::validate_request::ValidateRequestHeaderLayer;

struct Running {
    address: SocketAddr,
    guard: Guard,
    quota: RequestQuota,
    _handle: ServerHandle,
}

async fn running() -> Running {
    let quota = RequestQuota::default();
    let guard = Guard::new(quota.clone(), Counters::default());
    let mut module = RpcModule::new(());
    let subscriptions: Vec<String> =
        EVENTS.iter().map(|method| format!("failsafe_{}", method.name)).collect();
    for name in names(&[PARTY, OPERATOR]) {
        let name: &'static str = name.leak();
        module.register_method(name, move |_, _, _| name).unwrap();
    }
    for name in subscriptions {
        let (name, end): (&'static str, &'static str) =
            (name.clone().leak(), name.replace("subscribe", "unsubscribe").leak());
        module
            .register_subscription(name, "news", end, |_, pending, _, _| async move {
                // Ends at once: that it began is the question.
                let _ = pending.accept().await;
            })
            .unwrap();
    }
    module.register_method("failsafe_not_in_the_table", |_, _, _| "reached").unwrap();
    let judge = guard.clone();
    let server = Server::builder()
        .set_http_middleware(
            tower::ServiceBuilder::new().layer(ValidateRequestHeaderLayer::custom(guard.clone())),
        )
        .set_rpc_middleware(
            RpcServiceBuilder::new()
                .layer_fn(move |service| Guarded { service, guard: judge.clone() }),
        )
        .build("127.0.0.1:0")
        .await
        .unwrap();
    let address = server.local_addr().unwrap();
    Running { address, guard, quota, _handle: server.start(module) }
}

impl Running {
    fn headers(&self, scope: Scope) -> HeaderMap {
        let (_, token) = self.guard.tokens().find(|(of, _)| *of == scope).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", token.reveal()).parse().unwrap());
        headers
    }

    fn client(&self, scope: Scope) -> HttpClient {
        HttpClientBuilder::default()
            .set_headers(self.headers(scope))
            .build(format!("http://{}", self.address))
            .unwrap()
    }
}

async fn ask(client: &HttpClient, method: &str) -> Result<String, (i32, String)> {
    match client.request::<String, _>(method, ObjectParams::new()).await {
        Ok(answer) => Ok(answer),
        Err(ClientError::Call(error)) => Err((error.code(), error.message().to_string())),
        Err(other) => panic!("{method}: {other}"),
    }
}

#[tokio::test]
async fn each_method_should_be_called_with_its_scope_or_a_higher_one_and_no_lower_one() {
    let running = running().await;
    let mut forbidden = 0;
    for method in PARTY.iter().chain(OPERATOR) {
        let name = format!("failsafe_{}", method.name);
        for scope in Scope::ALL {
            let answer = ask(&running.client(scope), &name).await;
            if scope >= method.scope {
                assert_eq!(answer, Ok(name.clone()), "{scope:?}");
                continue;
            }
            forbidden += 1;
            let (code, text) = answer.unwrap_err();
            assert_eq!(code, FORBIDDEN);
            for part in [&name, method.scope.name(), scope.name()] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
    assert!(forbidden > PARTY.len(), "hardly anything was forbidden");
}

#[tokio::test]
async fn method_should_be_refused_when_the_table_does_not_have_it() {
    let running = running().await;
    let read = ask(&running.client(Scope::Read), "failsafe_not_in_the_table").await;
    assert_eq!(read.unwrap_err().0, FORBIDDEN);
    let admin = ask(&running.client(Scope::Admin), "failsafe_not_in_the_table").await;
    assert_eq!(admin.unwrap_err().0, FORBIDDEN);
}

#[tokio::test]
async fn request_should_be_refused_when_it_shows_no_token_or_a_wrong_one() {
    let running = running().await;
    for token in [None, Some("Bearer "), Some("Bearer 00"), Some("Basic YTpi")] {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert("authorization", token.parse().unwrap());
        }
        let client = HttpClientBuilder::default()
            .set_headers(headers)
            .build(format!("http://{}", running.address))
            .unwrap();
        let refused = client.request::<String, _>("failsafe_status", ObjectParams::new()).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("401"), "{token:?}: {text}");
    }
}

#[tokio::test]
async fn token_should_be_refused_when_it_is_used_too_often_and_others_go_on() {
    let running = running().await;
    running.quota.set(5);
    let read = running.client(Scope::Read);
    let mut refused = vec![];
    for _ in 0..50 {
        if let Err((code, text)) = ask(&read, "failsafe_status").await {
            refused.push((code, text));
        }
    }
    let (code, text) = refused.first().expect("50 at once are more than 5 a second");
    assert_eq!(*code, TOO_MANY);
    assert!(text.contains("more than 5 requests in a second with the read token"), "{text}");
    assert!(ask(&running.client(Scope::Admin), "failsafe_status").await.is_ok());
    running.quota.set(0);
    for _ in 0..50 {
        assert!(ask(&read, "failsafe_status").await.is_ok(), "without a quota all are taken");
    }
}

#[tokio::test]
async fn subscription_should_need_a_token_too() {
    let running = running().await;
    let url = format!("ws://{}", running.address);
    assert!(WsClientBuilder::default().build(&url).await.is_err(), "nobody without a token");
    let client =
        WsClientBuilder::default().set_headers(running.headers(Scope::Read)).build(&url).await;
    let client = client.unwrap();
    let news = client
        .subscribe::<String, _>(
            "failsafe_subscribePayments",
            ObjectParams::new(),
            "failsafe_unsubscribePayments",
        )
        .await;
    assert!(news.is_ok(), "{news:?}");
    let refused = client.request::<String, _>("failsafe_stop", ObjectParams::new()).await;
    assert!(matches!(refused, Err(ClientError::Call(error)) if error.code() == FORBIDDEN));
}

#[test]
fn token_should_not_be_in_debug_output() {
    let token = Token::generate();
    assert_eq!(token.reveal().len(), 64);
    assert!(!format!("{token:?}").contains(&token.reveal()[..8]));
    assert_ne!(token, Token::generate());
}
