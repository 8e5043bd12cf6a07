/** The story by hand-made extrinsics: a hub that rebalances, and one that does not (S40, S41, S60). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  collateralIn,
  connect,
  eventsBetween,
  failsafeAt,
  feeOf,
  freeAt,
  FRD,
  keys,
  named,
  NATIVE,
  send,
  untilEvent,
  view,
} from '../support/chain.mjs';
import { Channel, fromLeft, fund, paid } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

const START = 10_000n * FRD;
/** What fees of whoever has nothing else come from: small against all numbers of the story. */
const FLOOR = FRD;

let api, friend, user, hub, payee, userAtHub, payeeAtHub, fees;

before(async () => {
  api = await connect();
  // Left to right as in the story: user 2, hub 1, payee 123.
  const people = await keys('//Story//1', '//Story//2', '//Story//3');
  friend = await funder(import.meta.url);
  [user, hub, payee] = fromLeft(...people);
  await fund(api, friend, [user, hub], START);
  await fund(api, friend, [payee], 10n * FRD);
  userAtHub = new Channel(api, user, hub);
  payeeAtHub = new Channel(api, hub, payee);
  fees = new Map(people.map((pair) => [pair, 0n]));
});
after(() => api?.disconnect());

/** Sends a call and remembers what it cost, with the fee of a pair's record if it opened one. */
async function pay(call, signer, { opens = false } = {}) {
  const { hash, events } = await send(call, signer);
  const { pairFee } = await (await failsafeAt(api, hash)).parameters();
  fees.set(signer, fees.get(signer) + feeOf(events) + (opens ? pairFee : 0n));
  return { hash, events };
}

const collateral = async (channel, hash) => collateralIn(await channel.at(hash), NATIVE);
const row = (insurance, ondelta) => ({ insurance: insurance * FRD, ondelta: ondelta * FRD });

/** The withdrawal of `amount` from a channel as an action of a batch. */
async function withdrawal(channel, to, amount) {
  return channel.withdraw(to, await channel.withdrawal(amount * FRD));
}

test('s40_user_should_own_its_deposit_when_it_insures_its_own_side', async () => {
  const { hash } = await pay(userAtHub.deposit('left', 5_000n * FRD), user, { opens: true });
  assert.deepEqual(await collateral(userAtHub, hash), row(5_000n, 5_000n));
  assert.equal(await freeAt(api, hash, user), START - 5_000n * FRD - fees.get(user));
});

test('s40_s60_hub_should_pass_the_insurance_on_when_it_rebalances_in_one_batch', async () => {
  // The user has paid 1,000 to the hub, and the hub 1,000 to the payee, who is not insured yet. The
  // deposit is for the hub's own side: what the hub has paid makes it the payee's.
  const actions = [await withdrawal(userAtHub, 'right', 1_000n), payeeAtHub.deposit('left', 1_000n * FRD)];
  const { hash, events } = await pay(api.tx.batch.submit(actions, 'Atomic'), hub, { opens: true });
  assert.deepEqual(named(events, 'batch.BatchCompleted'), [{ account: hub.address, done: 2n, skipped: 0n }]);
  const told = events.filter(({ name }) => name.startsWith('insurance.'));
  const [asset, amount] = [BigInt(NATIVE), 1_000n * FRD];
  assert.deepEqual(told, [
    {
      name: 'insurance.Withdraw',
      data: { account: hub.address, partner: user.address, asset, amount, fromBalance: 0n },
    },
    {
      name: 'insurance.Deposit',
      data: { from: hub.address, beneficiary: hub.address, partner: payee.address, asset, amount },
    },
  ]);
  assert.deepEqual(await collateral(userAtHub, hash), row(4_000n, 5_000n));
  assert.deepEqual(await collateral(payeeAtHub, hash), row(1_000n, 1_000n));
  assert.equal(await freeAt(api, hash, hub), START - fees.get(hub));
});

test('s40_user_should_splice_its_insurance_to_the_payee_when_the_hub_signs', async () => {
  const actions = [await withdrawal(userAtHub, 'left', 3_000n), payeeAtHub.deposit('right', 3_000n * FRD)];
  const { hash } = await pay(api.tx.batch.submit(actions, 'Atomic'), user);
  assert.deepEqual(await collateral(userAtHub, hash), row(1_000n, 2_000n));
  assert.deepEqual(await collateral(payeeAtHub, hash), row(4_000n, 1_000n));
});

test('s40_everybody_should_have_what_is_his_when_both_channels_are_closed', async () => {
  const validUntil = (await userAtHub.withdrawal(0n)).validUntil;
  const closes = [
    [userAtHub.close('right', { validUntil, offdeltas: [[NATIVE, -1_000n * FRD]] }), hub],
    [payeeAtHub.close('right', { validUntil, offdeltas: [[NATIVE, -1_000n * FRD]] }), payee],
  ];
  let last;
  for (const [call, signer] of closes) {
    last = await pay(call, signer);
  }
  assert.equal(await freeAt(api, last.hash, hub), 10_000n * FRD - fees.get(hub));
  assert.equal(await freeAt(api, last.hash, user), 6_000n * FRD - fees.get(user));
  assert.equal(await freeAt(api, last.hash, payee), 4_010n * FRD - fees.get(payee));
});

test('s41_s60_bad_hub_should_leave_a_debt_when_it_has_nothing', async () => {
  const [badHub, ...payees] = await keys('//Story//Bad', '//Story//7', '//Story//8');
  // The payee must be the one on the right, as in the story.
  const creditor = payees.find((one) => new Channel(api, badHub, one).right === one);
  assert(creditor, 'no payee is right of the bad hub');
  const channel = new Channel(api, badHub, creditor);
  const { hash: begin } = await fund(api, friend, [badHub], FLOOR);
  await fund(api, friend, [creditor], 10n * FRD);

  const owed = 1_000n * FRD;
  const evidence = { theirs: channel.signed('left', paid(1, owed)), ours: null };
  const started = await send(channel.dispute('right', evidence), creditor);
  const parties = { debtor: badHub.address, creditor: creditor.address };
  const created = await untilEvent(api, started.hash, 'debt.DebtCreated', parties);
  const before = await freeAt(api, created.hash, creditor);

  const income = api.tx.balances.transferKeepAlive(badHub.address, 700n * FRD);
  const { hash } = await send(income, friend);
  assert.equal(await freeAt(api, hash, creditor), before + 700n * FRD);
  assert.equal(await freeAt(api, hash, badHub), FLOOR);
  const left = 300n * FRD;
  const asset = BigInt(NATIVE);
  assert.deepEqual(await view(api, 'Debt', 'owes', badHub.address), [[asset, left]]);

  const { resolveAt } = named(started.events, 'insurance.DisputeStarted')[0];
  const { openedIn, index } = created.data;
  const ours = ({ name, data }) =>
    /^(insurance|debt)\./.test(name) && [data.left, data.debtor].includes(badHub.address);
  assert.deepEqual(await eventsBetween(api, begin, hash, ours), [
    {
      name: 'insurance.DisputeStarted',
      data: { ...channel.pair, epoch: 0n, starter: creditor.address, resolveAt },
    },
    { name: 'debt.DebtCreated', data: { ...parties, asset, amount: owed, openedIn, index } },
    {
      name: 'insurance.DisputeResolved',
      data: {
        ...channel.pair,
        epoch: 0n,
        outcomes: [
          { asset, leftInsured: 0n, rightInsured: 0n, leftOwed: owed, rightOwed: 0n, booked: owed },
        ],
      },
    },
    { name: 'debt.DebtEnforced', data: { ...parties, asset, amount: 700n * FRD, left } },
  ]);
});
