/** Faulty calls of Dave are refused with the name of what is wrong. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { best, connect, failsafeAt, FRD, keys, NATIVE, sendRefused } from '../support/chain.mjs';

const UNKNOWN_ASSET = 4_000_000;

let api, dave, eve;

before(async () => {
  api = await connect();
  [dave, eve] = await keys('//Dave', '//Eve');
});
after(() => api?.disconnect());

/** The name of the error of Dave's deposit, which must also leave no trace. */
async function refusal(asset, amount, partner = eve, epoch = null) {
  const deposit = api.tx.insurance.deposit(asset, amount, dave.address, partner.address, epoch);
  const { hash, error } = await sendRefused(deposit, dave);
  const { channel } = await failsafeAt(api, hash);
  assert.deepEqual((await channel(dave.address, eve.address)).collateral, []);
  return error;
}

test('deposit_should_be_refused_when_the_asset_is_unknown', async () => {
  assert.equal(await refusal(UNKNOWN_ASSET, FRD), 'insurance.UnknownAsset');
});

test('deposit_should_be_refused_when_the_amount_is_0', async () => {
  assert.equal(await refusal(NATIVE, 0n), 'insurance.AmountTooSmall');
});

test('deposit_should_be_refused_when_the_amount_is_above_the_balance', async () => {
  const { balances } = await failsafeAt(api, await best(api));
  const [{ free }] = await balances(dave.address, [NATIVE]);
  assert.equal(await refusal(NATIVE, free + 1n), 'Token.FundsUnavailable');
});

test('deposit_should_be_refused_when_both_parties_are_the_same', async () => {
  assert.equal(await refusal(NATIVE, FRD, dave), 'insurance.SamePair');
});

test('deposit_should_be_refused_when_the_channel_is_in_another_epoch', async () => {
  assert.equal(await refusal(NATIVE, FRD, eve, 7), 'insurance.WrongEpoch');
});

test('dispute_should_be_refused_when_there_is_neither_evidence_nor_insurance', async () => {
  const dispute = api.tx.insurance.dispute(eve.address, 0, { theirs: null, ours: null });
  const { error } = await sendRefused(dispute, dave);
  assert.equal(error, 'insurance.NothingToDispute');
});
