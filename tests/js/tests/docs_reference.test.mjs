/**
 * Compares the chain's reference with the metadata of the node: nothing may be missing, nothing
 * may be there that the chain does not have.
 */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { stringCamelCase } from '@polkadot/util';

import { best, connect, failsafeAt, FRD, keys } from '../support/chain.mjs';
import { page, pages, quoted, rows, section } from '../support/docs.mjs';

/** Pallets that come with FRAME and are described there. */
const FRAME = [
  'System',
  'Timestamp',
  'Aura',
  'Authorship',
  'Grandpa',
  'Sudo',
  'Balances',
  'TransactionPayment',
  'Assets',
  'AssetsFreezer',
];

let api, pallets;

before(async () => {
  api = await connect();
  pallets = api.runtimeMetadata.asLatest.pallets.filter(({ name }) => !FRAME.includes(name.toString()));
  assert(pallets.length >= 7);
});
after(() => api?.disconnect());

const pageOf = ({ name }) => page(`chain/${name.toString().toLowerCase()}.md`);
const codeOf = ({ blocks }) => blocks.map(({ code }) => code).join('\n');

/** The variants of a pallet's calls, events or errors; not every pallet has each. */
const variantsOf = (type) => [...api.registry.lookup.getSiType(type).def.asVariant.variants];
const variants = (part) => (part.isSome ? variantsOf(part.unwrap().type) : []);
const names = (items) => items.map(({ name }) => name.toString());
const fieldNames = ({ fields }) => fields.map(({ name }) => name.unwrap().toString());

/** The first cells of the tables under a heading, without backquotes. */
const named = ({ text }, heading) => rows(section(text, heading)).map(([cell]) => quoted(cell)[0]);

/** Items may stand in another order than in the metadata. */
function assertSame(actual, expected, where) {
  assert.deepEqual([...actual].sort(), [...expected].sort(), where);
}

/** The names with which the list items of a section begin: `- `a`, `b`: …`. */
function parameters(text) {
  const items = text.split('\n').filter((line) => line.startsWith('- `'));
  return items.flatMap((line) => quoted(line.slice(0, line.indexOf(':'))));
}

/** The item of a section that begins with a word, like `- Emits: …`. */
const item = (text, word) => text.split('\n').find((line) => line.startsWith(`- ${word}: `));

test('docs_should_have_a_page_per_pallet_when_compared_with_the_metadata', () => {
  const linked = rows(section(page('chain.md').text, '## Pallets')).filter(([, , , link]) => link);
  assertSame(
    linked.map(([index, name, , link]) => `${index} ${name} ${link}`),
    pallets.map(({ index, name }) => {
      const file = name.toString().toLowerCase();
      return `${index} ${name} [${file}](chain/${file}.md)`;
    })
  );
  const files = pages().map(({ file }) => file);
  const own = pallets.map(({ name }) => `chain/${name.toString().toLowerCase()}.md`);
  assertSame(files, ['chain.md', 'chain/runtime-api.md', ...own]);
});

test('docs_should_have_every_call_with_its_parameters_when_compared_with_the_metadata', () => {
  for (const pallet of pallets) {
    const { name, calls, events } = pallet;
    const shown = pageOf(pallet);
    const text = section(shown.text, '## Calls');
    const headings = text.split('\n').filter((line) => line.startsWith('### '));
    const expected = variants(calls).map((call) => `### \`${call.name}\` (${call.index})`);
    assert.deepEqual(headings, expected, name.toString());
    for (const call of variants(calls)) {
      const where = `${name}.${call.name}`;
      const described = section(shown.text, `### \`${call.name}\` (${call.index})`);
      assert.deepEqual(parameters(described), fieldNames(call), where);
      assert.match(item(described, 'Origin') ?? '', /\.$/, where);
      assert.match(item(described, 'Class') ?? '', /^- Class: (normal|operational)[.;]/, where);
      const emitted = quoted(item(described, 'Emits') ?? '').filter((word) => /^[A-Z]/.test(word));
      assert(emitted.length > 0, where);
      for (const event of emitted.filter((word) => word !== 'SkipFailed')) {
        assert(names(variants(events)).includes(event), `${where} does not emit ${event}`);
      }
      const [section_, method] = [stringCamelCase(name.toString()), stringCamelCase(call.name.toString())];
      assert(codeOf(shown).includes(`api.tx.${section_}.${method}(`), `no example of ${where}`);
    }
  }
});

test('docs_should_name_the_class_of_every_call_when_the_chain_is_asked', async () => {
  const [alice] = await keys('//Alice');
  for (const pallet of pallets) {
    const calls = api.tx[stringCamelCase(pallet.name.toString())] ?? {};
    for (const { name, index } of variants(pallet.calls)) {
      const described = section(pageOf(pallet).text, `### \`${name}\` (${index})`);
      const [, shown] = item(described, 'Class').match(/^- Class: (\w+)/);
      const call = calls[stringCamelCase(name.toString())];
      // Empty values will do: the class depends on the call alone.
      const empty = call.meta.args.map(({ type }) => api.createType(type.toString()));
      const info = await call(...empty).paymentInfo(alice);
      assert.equal(shown, info.class.toString().toLowerCase(), `${pallet.name}.${name}`);
    }
  }
});

test('docs_should_have_every_event_with_its_fields_when_compared_with_the_metadata', () => {
  for (const pallet of pallets) {
    const shown = pageOf(pallet);
    const listed = rows(section(shown.text, '## Events')).map(([event, fields]) => [quoted(event)[0], ...quoted(fields)]);
    const expected = variants(pallet.events).map((event) => [event.name.toString(), ...fieldNames(event)]);
    assert.deepEqual(listed, expected, pallet.name.toString());
    for (const [event] of expected) {
      const watched = `watch('${stringCamelCase(pallet.name.toString())}.${event}'`;
      assert(codeOf(shown).includes(watched), `no example with ${watched}`);
    }
  }
});

test('docs_should_have_every_error_and_who_returns_it_when_compared_with_the_metadata', () => {
  const callsOf = new Map(pallets.map(({ name, calls }) => [stringCamelCase(name.toString()), names(variants(calls))]));
  for (const pallet of pallets) {
    const own = stringCamelCase(pallet.name.toString());
    const shown = pageOf(pallet);
    assert.deepEqual(named(shown, '## Errors'), names(variants(pallet.errors)), own);
    for (const [error, by, when, advice] of rows(section(shown.text, '## Errors'))) {
      assert(by === 'none' || quoted(by).length > 0, `${own}: ${error} is returned by nobody`);
      assert(when && advice, `${own}: ${error}`);
      for (const call of quoted(by)) {
        const [palletName, name] = call.includes('.') ? call.split('.') : [own, call];
        assert(callsOf.get(palletName)?.includes(name), `${own}: ${error} by ${call}`);
      }
    }
  }
});

test('docs_should_have_every_view_function_when_compared_with_the_metadata', () => {
  for (const pallet of pallets) {
    const shown = pageOf(pallet);
    const listed = rows(section(shown.text, '## View functions')).map(([name, args]) => [quoted(name)[0], ...quoted(args)]);
    const expected = pallet.viewFunctions.map(({ name, inputs }) => [name.toString(), ...names(inputs)]);
    assert.deepEqual(listed, expected, pallet.name.toString());
    for (const [name] of expected) {
      const asked = `view('${pallet.name}', '${name}'`;
      assert(codeOf(shown).includes(asked), `no example with ${asked}`);
    }
  }
});

test('docs_should_have_every_constant_and_storage_item_when_compared_with_the_metadata', () => {
  for (const pallet of pallets) {
    const shown = pageOf(pallet);
    const own = stringCamelCase(pallet.name.toString());
    const listed = rows(section(shown.text, '## Constants')).map(([name, value]) => `${quoted(name)[0]} ${value.replaceAll('`', '')}`);
    const valueOf = (constant) => {
      const value = api.consts[own][stringCamelCase(constant.name.toString())];
      return value.toUtf8?.() ?? value.toString();
    };
    assertSame(listed, pallet.constants.map((constant) => `${constant.name} ${valueOf(constant)}`));
    const items = pallet.storage.isSome ? names(pallet.storage.unwrap().items) : [];
    assertSame(named(shown, '## Storage'), items, own);
  }
});

test('docs_should_have_every_hold_and_freeze_reason_when_compared_with_the_metadata', () => {
  const kinds = [
    ['RuntimeHoldReason', '## Hold reasons'],
    ['RuntimeFreezeReason', '## Freeze reasons'],
  ];
  for (const [runtimeType, heading] of kinds) {
    const found = api.runtimeMetadata.asLatest.lookup.types.find(({ type }) => type.path.at(-1)?.eq(runtimeType));
    const reasons = new Map(
      variantsOf(found.id).map(({ name, fields: [{ type }] }) => [name.toString(), names(variantsOf(type))])
    );
    assert(reasons.size > 0);
    for (const pallet of pallets) {
      assertSame(named(pageOf(pallet), heading), reasons.get(pallet.name.toString()) ?? [], `${pallet.name} ${heading}`);
    }
  }
});

test('docs_should_have_every_runtime_api_method_when_compared_with_the_metadata', () => {
  const { methods } = api.runtimeMetadata.asLatest.apis.find(({ name }) => name.eq('FailsafeApi'));
  const shown = page('chain/runtime-api.md');
  const headings = section(shown.text, '## Methods').split('\n').filter((line) => line.startsWith('### '));
  assertSame(headings, methods.map(({ name }) => `### \`${name}\``));
  for (const { name, inputs } of methods) {
    const described = section(shown.text, `### \`${name}\``);
    assert.deepEqual(parameters(described), names(inputs), name.toString());
    assert(item(described, 'Answer'), `${name} answers nothing`);
    const asked = `api.call.failsafeApi.${stringCamelCase(name.toString())}(`;
    assert(codeOf(shown).includes(asked), `no example with ${asked}`);
  }
});

test('docs_should_have_every_parameter_with_its_value_when_compared_with_the_chain', async () => {
  const current = await (await failsafeAt(api, await best(api))).parameters();
  const money = /^(floor|fee_per)_|_(fee|deposit|top_up|credit)$/;
  const listed = rows(section(page('chain/parameters.md').text, '# Parameters'));
  const shown = listed
    .filter((cells) => cells.length === 5)
    .map(([cell, , , dev]) => {
      const [name] = quoted(cell);
      const value = money.test(name) ? BigInt(Math.round(Number(dev) * 1e6)) * (FRD / 10n ** 6n) : BigInt(dev);
      return [stringCamelCase(name), value];
    });
  assert.deepEqual(shown, Object.entries(current));
});

test('docs_should_name_nothing_that_is_not_there_when_compared_with_the_metadata', () => {
  const known = new Set();
  for (const { name, calls, events, errors, viewFunctions } of pallets) {
    const items = [calls, events, errors].flatMap((part) => names(variants(part)));
    for (const one of [...items, ...names(viewFunctions)]) {
      known.add(`${stringCamelCase(name.toString())}.${one}`);
    }
  }
  const prefixes = pallets.map(({ name }) => stringCamelCase(name.toString())).join('|');
  const reference = new RegExp(`^(${prefixes})\\.\\w+$`);
  for (const { file, text } of pages()) {
    const prose = text.replace(/^```[^]*?^```$/gm, '');
    for (const word of quoted(prose).filter((one) => reference.test(one))) {
      assert(known.has(word), `${file} names ${word}`);
    }
    for (const [, target] of prose.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      const url = new URL(target, new URL(`../../../docs/${file}`, import.meta.url));
      assert(existsSync(url), `${file} links to ${target}`);
    }
    for (const [, target, anchor] of prose.matchAll(/\]\(([^)#]*\.md)?#([^)]+)\)/g)) {
      const linked = target ? new URL(target, `docs:/${file}`).pathname.slice(1) : file;
      const anchors = [...page(linked).text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')
      );
      assert(anchors.includes(anchor), `${file} links to #${anchor} of ${linked}`);
    }
  }
});

test('docs_should_tell_which_file_shows_a_scenario_when_its_tests_carry_the_number', () => {
  const folder = new URL('./', import.meta.url);
  const found = new Map();
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const ids = [...source.matchAll(/^test\('((?:[a-z]+\d+_)+)/gm)].flatMap(([, prefix]) => prefix.split('_'));
    const scenarios = ids.filter((id) => /^s\d+$/.test(id)).map((id) => id.toUpperCase());
    if (scenarios.length > 0) {
      found.set(file, [...new Set(scenarios)].sort());
    }
  }
  const listed = rows(section(page('scenarios.md').text, '## By hand-made extrinsics'));
  assert.deepEqual(
    new Map(listed.map(([ids, file]) => [quoted(file)[0], ids.split(', ')]).sort()),
    new Map([...found].sort())
  );
});

/** The numbered list under the heading of a crate's documentation or of a page, one text per item. */
function invariants(text) {
  const items = text.trim().split(/^\d+\. /m).slice(1);
  return items.map((one) => one.trim().replace(/\s+/g, ' ').replace(/\[(`[^`]+`)\](\([^)]*\))?/g, '$1'));
}

/** The documentation at the top of a source. */
function header(file) {
  const source = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
  const lines = source.split('\n').filter((line) => line.startsWith('//!'));
  return lines.map((line) => line.slice(4)).join('\n');
}

test('docs_should_have_every_invariant_when_compared_with_the_sources', () => {
  for (const pallet of pallets) {
    const crate = pallet.name.toString().toLowerCase();
    const expected = invariants(section(header(`pallets/${crate}/src/lib.rs`), '## Invariants (`do_try_state`)'));
    assert.deepEqual(invariants(section(pageOf(pallet).text, '## Invariants')), expected, crate);
  }
  const shown = section(page('chain.md').text, '## Invariants').split('\n\n');
  const list = shown.find((paragraph) => paragraph.startsWith('1. '));
  assert.deepEqual(invariants(list), invariants(header('runtime/src/invariants.rs')));
});
