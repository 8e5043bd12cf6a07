/** Hash locks in disputes: revealed in time, too late, or not at all (S24, S25, S27). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { u8aToHex } from '@polkadot/util';
import { randomAsU8a, sha256AsU8a } from '@polkadot/util-crypto';

import {
  best,
  connect,
  failsafeAt,
  feeOf,
  freeAt,
  FRD,
  keys,
  named,
  NATIVE,
  send,
  sendRefused,
  untilEvent,
  view,
} from '../support/chain.mjs';
import { Channel, fund, paid } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

const SECRET_FEE = FRD / 1_000n;
const KEEP = 100n;

let api, channel, silent, watchtower, expiry;
/** H1 and H2 lock what right pays, H3 what left pays. */
const secrets = [randomAsU8a(32), randomAsU8a(32), randomAsU8a(32)];
const hashes = secrets.map((secret) => sha256AsU8a(secret));
const [first, second, third] = secrets;

before(async () => {
  api = await connect();
  const names = [1, 2, 3, 4].map((number) => `//Secrets//${number}`);
  const people = await keys(...names);
  await fund(api, await funder(import.meta.url), people, 300n * FRD);
  channel = new Channel(api, people[0], people[1]);
  silent = new Channel(api, people[1], people[2]);
  watchtower = people[3];
});
after(() => api?.disconnect());

const momentAt = async (hash) => (await failsafeAt(api, hash)).moment();
const clockNow = async () => (await momentAt(await best(api))).clock;

/** The state of scenario 24: (100, 60, −24), locks of 7 and 5 towards left, of 4 towards right. */
async function stateOf(which, locksExpire) {
  await send(which.deposit('left', 60n * FRD), which.left);
  await send(which.deposit('right', 40n * FRD), which.right);
  const lock = (i, amount) => ({ id: i + 1, amount: amount * FRD, hash: hashes[i], expiry: locksExpire });
  const ours = paid(1, 24n * FRD, [lock(2, 4n)]);
  const theirs = paid(1, 0n, [lock(0, 7n), lock(1, 5n)]);
  return { theirs: which.signed('right', theirs), ours: which.acked('left', ours) };
}

async function shares(which, from) {
  const { hash, data } = await untilEvent(api, from, 'insurance.DisputeResolved', which.pair);
  const [{ asset, leftInsured, rightInsured }] = data.outcomes;
  assert.equal(asset, BigInt(NATIVE));
  return { hash, shares: [leftInsured, rightInsured] };
}

test('reveal_should_charge_each_new_secret_when_it_enters_the_registry', async () => {
  const before = await freeAt(api, await best(api), watchtower);
  const { hash, events } = await send(api.tx.secrets.reveal([second, third]), watchtower);
  const { clock } = await momentAt(hash);
  assert.deepEqual(
    named(events, 'secrets.SecretRevealed'),
    [1, 2].map((i) => ({ hash: u8aToHex(hashes[i]), secret: u8aToHex(secrets[i]), at: clock }))
  );
  assert.equal(await freeAt(api, hash, watchtower), before - 2n * SECRET_FEE - feeOf(events));
  const seen = { secret: u8aToHex(second), revealedAt: clock, keepUntil: clock + KEEP };
  assert.deepEqual(await (await failsafeAt(api, hash)).secret(hashes[1]), seen);
  assert.deepEqual(await view(api, 'Secrets', 'secret', hashes[1]), seen);
  assert.equal(await (await failsafeAt(api, hash)).secret(hashes[0]), null);
  // The last clock at which the two count.
  expiry = clock;
});

test('s25_lock_should_count_when_its_secret_was_revealed_at_its_expiry_and_not_after', async () => {
  const evidence = await stateOf(channel, expiry);
  const { hash, events } = await send(channel.dispute('left', evidence), channel.left);
  const [{ resolveAt }] = named(events, 'insurance.DisputeStarted');
  const revealed = await send(api.tx.secrets.reveal([first]), watchtower);
  const [{ at }] = named(revealed.events, 'secrets.SecretRevealed');
  assert(at > expiry && at < resolveAt, `${expiry} < ${at} < ${resolveAt}`);
  // 60 − 24 + 5 − 4: the 7 came too late.
  assert.deepEqual((await shares(channel, hash)).shares, [37n * FRD, 63n * FRD]);
});

test('s27_reveal_should_keep_its_first_time_when_it_is_repeated', async () => {
  const before = await freeAt(api, await best(api), watchtower);
  const known = await (await failsafeAt(api, await best(api))).secret(hashes[1]);
  const { hash, events } = await send(api.tx.secrets.reveal([second]), watchtower);
  const { clock } = await momentAt(hash);
  assert(clock > known.revealedAt);
  const until = clock + KEEP;
  assert.deepEqual(named(events, 'secrets.SecretKept'), [{ hash: u8aToHex(hashes[1]), until }]);
  assert.deepEqual(await (await failsafeAt(api, hash)).secret(hashes[1]), { ...known, keepUntil: until });
  assert.equal(await freeAt(api, hash, watchtower), before - feeOf(events));
});

test('s24_m13_locks_should_prolong_the_dispute_and_not_count_when_nothing_is_revealed', async () => {
  // Other secrets than those that everybody knows by now.
  secrets.forEach((_, i) => {
    hashes[i] = sha256AsU8a(randomAsU8a(32));
  });
  const expires = (await clockNow()) + 18n;
  const evidence = await stateOf(silent, expires);
  const { hash, events } = await send(silent.dispute('left', evidence), silent.left);
  const [{ resolveAt }] = named(events, 'insurance.DisputeStarted');
  const { clock } = await momentAt(hash);
  assert(clock + 8n < resolveAt, 'the locks expire too early to prolong anything');
  assert.equal(resolveAt, expires + 1n);

  const { digest } = (await silent.at(hash)).dispute;
  const accept = api.tx.insurance.accept(silent.pair.left, digest);
  assert.equal((await sendRefused(accept, silent.right)).error, 'insurance.LiveLock');

  const resolved = await shares(silent, hash);
  assert.deepEqual(resolved.shares, [36n * FRD, 64n * FRD]);
  assert.equal((await momentAt(resolved.hash)).clock, resolveAt);
});

test('m15_dispute_should_be_refused_when_a_lock_expires_beyond_the_window', async () => {
  const { lockWindow } = await (await failsafeAt(api, await best(api))).parameters();
  const again = silent.in(1);
  const evidence = async (blocks) => {
    const lock = { id: 1, amount: FRD, hash: hashes[0], expiry: (await clockNow()) + lockWindow + blocks };
    return { theirs: again.signed('right', paid(1, 0n, [lock])), ours: null };
  };
  const { error } = await sendRefused(again.dispute('left', await evidence(10n)), again.left);
  assert.equal(error, 'insurance.ExpiryTooFar');
});
