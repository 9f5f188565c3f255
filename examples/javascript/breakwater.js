// The bundles' metadata, and numbers as people write them.
import { readFileSync } from 'node:fs';
import { TypinkRegistry } from '@dedot/contracts';
import { concatU8a, hexToU8a, stringCamelCase, u8aToHex } from '@dedot/utils';

const ARTIFACTS = new URL('../../artifacts/', import.meta.url);

/** Prices are scaled by 10^18, whatever the tokens' decimals. */
export const PRICE_DECIMALS = 18;

/** The metadata of a contract, from the bundle of its name. */
export function bundle(name) {
  return JSON.parse(readFileSync(new URL(`${name}.contract`, ARTIFACTS), 'utf8'));
}

/** A message in the metadata by its Rust name, as `bid`. Those of traits have the trait's name in front, as `Interface::bid`. */
export function message(metadata, name) {
  const found = metadata.spec.messages.find(({ label }) => label.split('::').at(-1) === name);
  if (!found) throw new Error(`the contract has no message ${name}`);
  return found;
}

/** The function of a message in a contract's `query` or `tx`, by its Rust name. */
export function named(contract, kind, name) {
  const { label } = message(contract.metadata, name);
  return contract[kind][stringCamelCase(label.replaceAll('::', '_'))];
}

/** The input of a call, hexadecimal: the message's selector and its arguments. */
export function encode(metadata, name, args) {
  const registry = new TypinkRegistry(metadata);
  const found = message(metadata, name);
  if (found.args.length !== args.length) throw new Error(`${name} takes ${found.args.length} arguments`);
  const parts = found.args.map(({ type }, at) => registry.findCodec(type.type).tryEncode(args[at]));
  return u8aToHex(concatU8a(hexToU8a(found.selector), ...parts));
}

/** What the output of a message says. The outer result, ink!'s own, is unwrapped. */
export function decode(metadata, name, output) {
  const registry = new TypinkRegistry(metadata);
  const answer = registry.findCodec(message(metadata, name).returnType.type).tryDecode(output);
  if (answer.isErr) throw new Error(`${name}: the contract could not read the input`);
  return answer.value;
}

/** A decimal number as a scaled whole one: `units('1.5', 6)` is `1500000n`. */
export function units(text, decimals) {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > decimals) throw new Error(`${text} is no number with at most ${decimals} decimals`);
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** The opposite of `units`. */
export function show(amount, decimals) {
  const digits = BigInt(amount).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return digits.slice(0, digits.length - decimals) + (fraction && `.${fraction}`);
}
