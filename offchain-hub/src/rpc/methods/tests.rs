//! The table against the source of the traits: a method, a parameter or a type that differs fails.

use super::*;
use quote::ToTokens;
use syn::{FnArg, Item, Lit, Meta, ReturnType, TraitItem, TraitItemFn};

fn compact(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// Names, parameters, answers and first sentences of the methods of a trait.
struct Source {
    name: String,
    params: Vec<(String, String)>,
    answer: String,
    summary: String,
}

fn sentence(method: &TraitItemFn) -> String {
    let docs = method.attrs.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(text) => match &text.lit {
                Lit::Str(text) => Some(text.value().trim().to_string()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let text = docs.collect::<Vec<_>>().join(" ");
    let first = text.split(". ").next().unwrap_or_default();
    format!("{}.", first.trim_end_matches('.'))
}

fn argument(method: &TraitItemFn, attribute: &str, key: &str) -> Option<String> {
    let found = method.attrs.iter().find(|known| known.path().is_ident(attribute))?;
    let text = found.to_token_stream().to_string();
    let after = text.split(&format!("{key} = ")).nth(1)?;
    Some(after.split([',', ')']).next()?.trim().trim_matches('"').to_string())
}

fn methods_of(source: &str) -> Vec<Source> {
    let file = syn::parse_file(source).unwrap();
    let traits = file.items.iter().filter_map(|item| match item {
        Item::Trait(found) => Some(found),
        _ => None,
    });
    let functions = traits.flat_map(|found| &found.items).filter_map(|item| match item {
        TraitItem::Fn(function) => Some(function),
        _ => None,
    });
    functions
        .map(|function| {
            let params = function.sig.inputs.iter().filter_map(|input| match input {
                FnArg::Typed(typed) => Some((compact(&typed.pat), compact(&typed.ty))),
                FnArg::Receiver(_) => None,
            });
            let returned = match &function.sig.output {
                ReturnType::Type(_, of) => compact(of),
                ReturnType::Default => String::new(),
            };
            let inner = returned.strip_prefix("RpcResult<").and_then(|r| r.strip_suffix('>'));
            let item = argument(function, "subscription", "item");
            let name = argument(function, "method", "name")
                .or_else(|| argument(function, "subscription", "name"))
                .expect("every method has a name");
            // "name" => "notification"
            let name = name.split('"').next().unwrap_or_default().to_string();
            Source {
                name,
                params: params.collect(),
                answer: item.or(inner.map(str::to_string)).expect("it answers something"),
                summary: sentence(function),
            }
        })
        .collect()
}

fn check(table: &[Method], source: &str) {
    let found = methods_of(source);
    assert!(!found.is_empty());
    let in_source: Vec<_> = found.iter().map(|method| method.name.as_str()).collect();
    let in_table: Vec<_> = table.iter().map(|method| method.name).collect();
    assert_eq!(in_table, in_source);
    for (method, known) in table.iter().zip(found) {
        let strip = |text: &str| text.replace(' ', "");
        let params: Vec<_> = method
            .params
            .iter()
            .map(|param| (param.name.to_string(), strip(param.of.name)))
            .collect();
        assert_eq!(params, known.params, "parameters of {}", known.name);
        assert_eq!(strip(method.answer.name), known.answer, "answer of {}", known.name);
        assert_eq!(method.summary, known.summary, "{}", known.name);
    }
}

#[test]
fn table_should_be_what_the_source_says() {
    check(PARTY, include_str!("../api.rs"));
    check(GOVERNANCE, include_str!("../governance_api.rs"));
    check(OPERATOR, include_str!("../operator_api.rs"));
    check(EVENTS, include_str!("../events.rs"));
}

#[test]
fn every_method_should_have_one_place_in_the_tables() {
    let all = names(&[PARTY, GOVERNANCE, OPERATOR, EVENTS]);
    let unsubscribes = EVENTS.len();
    let tables = [PARTY, GOVERNANCE, OPERATOR, EVENTS];
    let methods: usize = tables.iter().map(|table| table.len()).sum();
    assert_eq!(all.len(), methods + unsubscribes + 1);
    assert!(all.iter().all(|name| scope(name).is_some()));
    assert_eq!(scope("failsafe_nothing"), None);
    assert_eq!(scope("status"), None, "names are full ones");
}

#[test]
fn methods_that_move_money_or_change_the_hub_should_not_be_open_to_readers() {
    for name in ["pay", "pay_invoice", "transfer", "withdraw", "deposit"] {
        assert_eq!(scope(&format!("failsafe_{name}")), Some(Scope::Spend), "{name}");
    }
    for name in ["stop", "dispute", "close", "terms", "drain", "pause", "resume", "reload"] {
        assert_eq!(scope(&format!("failsafe_{name}")), Some(Scope::Admin), "{name}");
    }
}

/// Every `$ref` below a value.
fn references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(to) if name == "$ref" => into.push(to.clone()),
                    other => references(other, into),
                }
            }
        },
        Value::Array(values) => values.iter().for_each(|value| references(value, into)),
        _ => {},
    }
}

#[test]
fn document_should_describe_every_method_and_every_type_that_it_names() {
    let document = hub_document();
    let methods = document["methods"].as_array().unwrap();
    let described: BTreeSet<String> =
        methods.iter().map(|m| m["name"].as_str().unwrap().to_string()).collect();
    let ends = methods.iter().filter_map(|m| m["x-subscription"]["unsubscribe"].as_str());
    let described: BTreeSet<String> =
        described.iter().cloned().chain(ends.map(str::to_string)).collect();
    assert_eq!(described, names(&[PARTY, GOVERNANCE, OPERATOR, EVENTS]));
    let mut named = vec![];
    references(&document, &mut named);
    assert!(named.len() > 20, "{named:?}");
    for reference in named {
        let path = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(path).is_some(), "{reference} leads nowhere");
    }
    let pay = methods.iter().find(|m| m["name"] == "failsafe_pay").unwrap();
    let required: Vec<_> =
        pay["params"].as_array().unwrap().iter().map(|p| &p["required"]).collect();
    assert_eq!(required, [true, true, false, false]);
    assert_eq!(pay["x-scope"], "spend");
    let amount = &document["components"]["schemas"]["Amount"];
    assert_eq!(amount["type"], "string");
    let row = &document["components"]["schemas"]["PaymentRow"]["properties"];
    let mut of_amount = vec![];
    references(&row["amount"], &mut of_amount);
    assert_eq!(of_amount, ["#/components/schemas/Amount"]);
}

#[test]
fn document_of_a_wallet_should_not_have_what_only_hubs_answer() {
    let text = wallet_document().to_string();
    assert!(text.contains("failsafe_pay") && !text.contains("failsafe_drain"));
}
