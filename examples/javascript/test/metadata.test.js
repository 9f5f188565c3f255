// The metadata says the same bytes as the Rust types: `vectors.json` is written by the Rust codec
// (`cargo test -p breakwater-sim --test javascript`).
import { deepEqual, equal, throws } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bundle, decode, encode, show, units } from '../breakwater.js';

const vectors = JSON.parse(readFileSync(new URL('../vectors.json', import.meta.url), 'utf8'), (_, value) =>
  // Numbers of 128 bits are written as text with an n behind them.
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
);

for (const { contract, message, args, input } of vectors.inputs) {
  test(`${contract} ${message} is encoded as in Rust`, () => {
    equal(encode(bundle(contract), message, args), input);
  });
}

for (const { contract, message, output, value } of vectors.outputs) {
  test(`${contract} ${message} is decoded as in Rust`, () => {
    const decoded = decode(bundle(contract), message, output);
    for (const [path, expected] of Object.entries(value)) {
      const found = path.split('.').reduce((at, key) => (key ? at[key] : at), decoded);
      deepEqual(found, expected, path);
    }
  });
}

test('numbers are written as people write them, exactly', () => {
  equal(units('1.5', 6), 1_500_000n);
  equal(show(units('200.25', 18), 18), '200.25');
  equal(show(1n, 6), '0.000001');
  equal(show(7_000_000n, 6), '7');
  throws(() => units('1.1234567', 6));
  throws(() => units('-1', 6));
});
