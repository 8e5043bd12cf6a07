/** What polkadot.js learns about the chain by itself. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connect, plain } from '../support/chain.mjs';

const CALLS = {
  Clock: [],
  Custody: ['claim'],
  Hubs: ['register', 'update', 'retire', 'leave'],
  Debt: ['enforce', 'forgive'],
  Insurance: [
    'deposit',
    'withdraw',
    'dispute',
    'counter',
    'counter_for',
    'accept',
    'close',
    'resolve',
    'late_claim',
  ],
  Batch: ['submit'],
  Secrets: ['reveal'],
  Parameters: ['amend'],
};

const VIEW_FUNCTIONS = {
  Clock: ['now'],
  Custody: ['account', 'unclaimed'],
  Hubs: ['hub', 'hub_by_handle', 'hubs', 'standing'],
  Debt: ['owes', 'owed_to', 'owed_between', 'debts_of'],
  Insurance: ['channel', 'open_disputes'],
  Parameters: ['current'],
  Secrets: ['secret'],
};

const RUNTIME_API = [
  'moment',
  'parameters',
  'channel',
  'pairs',
  'asset',
  'assets',
  'balances',
  'owes',
  'owedTo',
  'debtsOf',
  'openDisputes',
  'secret',
  'hub',
  'hubByHandle',
  'hubs',
  'hubStanding',
  'hubStandings',
];

let api;

before(async () => {
  api = await connect();
});
after(() => api?.disconnect());

const pallet = (name) => api.runtimeMetadata.asLatest.pallets.find((one) => one.name.eq(name));

function assertDocumented(items, where) {
  for (const { name, docs } of items) {
    assert(docs.some((line) => line.trim().length > 0), `${where}.${name} has no documentation`);
  }
}

function assertIncludes(items, expected, where) {
  const names = items.map(({ name }) => name.toString());
  for (const name of expected) {
    assert(names.includes(name), `${where} has no ${name}`);
  }
}

/** Variants of a pallet's calls, events or errors; not every pallet has each. */
function variants(part) {
  return part.isSome ? [...api.registry.lookup.getSiType(part.unwrap().type).def.asVariant.variants] : [];
}

test('properties_should_be_those_of_frd_when_read_from_the_chain', () => {
  assert.deepEqual(api.registry.chainTokens, ['FRD']);
  assert.deepEqual(api.registry.chainDecimals, [12]);
  assert.equal(api.registry.chainSS58, 42);
});

test('every_pallet_should_have_documented_calls_events_and_errors_when_metadata_is_decoded', () => {
  for (const [name, expected] of Object.entries(CALLS)) {
    const { calls, events, errors } = pallet(name);
    assertIncludes(variants(calls), expected, name);
    for (const part of [calls, events, errors]) {
      assertDocumented(variants(part), name);
    }
  }
});

test('runtime_api_should_be_callable_when_decoded_from_metadata', async () => {
  const trait = api.runtimeMetadata.asLatest.apis.find(({ name }) => name.eq('FailsafeApi'));
  assertDocumented(trait.methods, 'FailsafeApi');
  for (const method of RUNTIME_API) {
    assert.equal(typeof api.call.failsafeApi[method], 'function', `FailsafeApi has no ${method}`);
  }
  const { block, clock } = plain(await api.call.failsafeApi.moment());
  assert(block > 0n && clock > 0n);
});

test('view_functions_should_be_listed_when_metadata_is_decoded', () => {
  for (const [name, expected] of Object.entries(VIEW_FUNCTIONS)) {
    const { viewFunctions } = pallet(name);
    assertIncludes(viewFunctions, expected, name);
    assertDocumented(viewFunctions, name);
  }
});

test('view_function_should_answer_like_the_runtime_api_when_called_by_its_id', async () => {
  const view = pallet('Parameters').viewFunctions.find(({ name }) => name.eq('current'));
  const answer = await api.call.runtimeViewFunction.executeViewFunction(view.id, '0x');
  const type = api.registry.createLookupType(view.output);
  const current = api.createType(type, answer.asOk.toU8a(true));
  assert.deepEqual(plain(current), plain(await api.call.failsafeApi.parameters()));
});
