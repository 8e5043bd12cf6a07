/** Charlie disputes with the signed payment of somebody who has nothing. One after the other. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { channelContext, sideOf, simplexMessage } from '../lib/payloads.mjs';
import {
  best,
  connect,
  eventsAt,
  failsafeAt,
  FRD,
  keys,
  named,
  NATIVE,
  send,
  sendRefused,
  untilEvent,
  view,
} from '../support/chain.mjs';
import { fund } from '../support/channel.mjs';

const OWED = 100n * FRD;
const RECEIVED = 40n * FRD;

let api, charlie, debtor, openedIn;

before(async () => {
  api = await connect();
  [charlie, debtor] = await keys('//Charlie', '//Debtor');
});
after(() => api?.disconnect());

test('s41_debt_should_be_created_when_the_evidence_is_not_insured', async () => {
  const { channel } = await failsafeAt(api, await best(api));
  const { epoch, pair } = await channel(charlie.address, debtor.address);
  const context = channelContext(api.genesisHash.toU8a(), charlie.address, debtor.address, epoch);
  const simplex = { nonce: 1, entries: [{ asset: NATIVE, sent: OWED, locks: [] }] };
  const message = simplexMessage(context, sideOf(debtor.address, charlie.address), simplex);
  const signature = { direct: debtor.sign(message, { withType: true }) };
  const evidence = { theirs: { simplex, signature }, ours: null };

  const started = await send(api.tx.insurance.dispute(debtor.address, 0, evidence), charlie);
  openedIn = (await (await failsafeAt(api, started.hash)).moment()).block;
  const parties = { debtor: debtor.address, creditor: charlie.address };
  const { hash, data, events } = await untilEvent(api, started.hash, 'debt.DebtCreated', parties);
  assert.deepEqual(data, { ...parties, asset: BigInt(NATIVE), amount: OWED, openedIn, index: 0n });
  assert.equal(named(events, 'insurance.DisputeResolved', pair).length, 1);

  const { owes, owedTo } = await failsafeAt(api, hash);
  assert.deepEqual(await owes(debtor.address), [[BigInt(NATIVE), OWED]]);
  assert.equal(await owedTo(debtor.address, charlie.address, NATIVE), OWED);
});

test('s41_debt_should_be_collected_in_the_same_block_when_the_debtor_is_sent_money', async () => {
  const transfer = api.tx.balances.transferKeepAlive(debtor.address, RECEIVED);
  const { hash } = await send(transfer, charlie);
  const { balances, debtsOf, owes, parameters } = await failsafeAt(api, hash);
  const { floorUser } = await parameters();
  const amount = RECEIVED - floorUser;
  const left = OWED - amount;
  const parties = { debtor: debtor.address, creditor: charlie.address };
  assert.deepEqual(named(await eventsAt(api, hash), 'debt.DebtEnforced', { debtor: debtor.address }), [
    { ...parties, asset: BigInt(NATIVE), amount, left },
  ]);
  assert.deepEqual(await owes(debtor.address), [[BigInt(NATIVE), left]]);
  const [debt, ...others] = await debtsOf(debtor.address, NATIVE, 10);
  assert.equal(debt.left, left);
  assert.equal(others.length, 0);
  assert.deepEqual(await balances(debtor.address, [NATIVE]), [
    { asset: BigInt(NATIVE), free: floorUser, spendable: 0n, unclaimed: 0n },
  ]);
});

test('debt_should_show_what_is_left_when_asked_by_runtime_api_or_view_function', async () => {
  const at = await failsafeAt(api, await best(api));
  const { floorUser } = await at.parameters();
  const left = OWED - (RECEIVED - floorUser);
  const parties = [debtor.address, charlie.address];
  const debts = [
    { debtor: debtor.address, creditor: charlie.address, asset: BigInt(NATIVE), left, openedIn },
  ];
  assert.deepEqual(await at.owes(debtor.address), [[BigInt(NATIVE), left]]);
  assert.equal(await at.owedTo(...parties, NATIVE), left);
  assert.deepEqual(await at.debtsOf(debtor.address, NATIVE, 10), debts);
  assert.deepEqual(await view(api, 'Debt', 'owes', debtor.address), [[BigInt(NATIVE), left]]);
  assert.equal(await view(api, 'Debt', 'owed_to', ...parties, NATIVE), left);
  assert.deepEqual(await view(api, 'Debt', 'owed_between', ...parties), [[BigInt(NATIVE), left]]);
  assert.deepEqual(await view(api, 'Debt', 'debts_of', debtor.address, NATIVE, 10), debts);
});

test('transfer_should_be_refused_when_the_sender_owes', async () => {
  const transfer = api.tx.balances.transferKeepAlive(charlie.address, FRD / 100n);
  const { error } = await sendRefused(transfer, debtor);
  assert.equal(error, 'Token.Frozen');
});

test('debt_should_stay_when_somebody_else_forgives_it', async () => {
  const forgive = api.tx.debt.forgive(debtor.address, NATIVE, openedIn, 0);
  const { error } = await sendRefused(forgive, debtor);
  assert.equal(error, 'debt.CreditorOwes');
  const [stranger] = await keys('//Debt//Stranger');
  await fund(api, charlie, [stranger], FRD);
  assert.equal((await sendRefused(forgive, stranger)).error, 'debt.NotCreditor');
});

test('debt_should_be_gone_when_its_creditor_forgives_it', async () => {
  const [[, left]] = await (await failsafeAt(api, await best(api))).owes(debtor.address);
  const { hash, events } = await send(api.tx.debt.forgive(debtor.address, NATIVE, openedIn, 0), charlie);
  assert.deepEqual(named(events, 'debt.DebtForgiven'), [
    { debtor: debtor.address, creditor: charlie.address, asset: BigInt(NATIVE), amount: left },
  ]);
  const { owes, balances } = await failsafeAt(api, hash);
  assert.deepEqual(await owes(debtor.address), []);
  // What it has is its own again.
  const [{ free, spendable }] = await balances(debtor.address, [NATIVE]);
  assert.equal(spendable, free);
  await send(api.tx.balances.transferAllowDeath(charlie.address, FRD / 100n), debtor);
});
