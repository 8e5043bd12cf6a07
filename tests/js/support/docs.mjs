/** The pages of the chain's reference, taken apart. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const docs = new URL('../../../docs/', import.meta.url);

/**
 * @typedef {{ kind: string, code: string, line: number }} Block an example: what stands behind
 *   ```js, its text, and the line in which it begins
 * @typedef {{ file: string, text: string, blocks: Block[] }} Page
 */

/** All pages: `chain.md` first, then `chain/*.md` by name. */
export function pages() {
  const names = readdirSync(new URL('chain/', docs)).sort();
  return ['chain.md', ...names.map((name) => `chain/${name}`)].map(page);
}

/**
 * @param {string} file below `docs`, like `chain/debt.md`
 * @returns {Page}
 */
export function page(file) {
  const text = readFileSync(fileURLToPath(new URL(file, docs)), 'utf8');
  const blocks = [...text.matchAll(/^```js(.*)\n([^]*?)^```$/gm)].map(({ 0: all, 1: kind, 2: code, index }) => ({
    kind: kind.trim(),
    code,
    line: text.slice(0, index).split('\n').length,
    all,
  }));
  return { file, text, blocks };
}

/**
 * What stands under a heading, up to the next one of the same or a higher level.
 * @param {string} text
 * @param {string} heading with its #
 * @returns {string} '' if there is no such heading
 */
export function section(text, heading) {
  const level = heading.indexOf(' ');
  const lines = withoutCode(text).split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) {
    return '';
  }
  const end = lines.findIndex((line, i) => i > start && /^#+ /.test(line) && line.indexOf(' ') <= level);
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
}

/** Examples contain lines that look like headings or tables. */
const withoutCode = (text) => text.replace(/^```[^]*?^```$/gm, '');

/**
 * The rows of all tables of a section.
 * @param {string} text
 * @returns {string[][]} cells, without the tables' heads
 */
export function rows(text) {
  const lines = text.split('\n');
  return lines
    .filter((line, i) => line.startsWith('|') && !/^\|[-|]+\|$/.test(line) && !/^\|[-|]+\|$/.test(lines[i + 1] ?? ''))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

/**
 * The words in backquotes of a cell or sentence.
 * @param {string} text
 * @returns {string[]}
 */
export const quoted = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
