// Prints how a Breakwater market and one of its batches stand, and bids if told to. Everything is read by the metadata in the bundles.
//
//   node market.js --deployment deployments/teth-tusd.json [--url ws://127.0.0.1:9944] [--batch N]
//                  [--budget QUOTE --limit PRICE [--blocks N]]   bids, if it can join in so many blocks; the secret of the account is in the variable BREAKWATER_SURI
//
// The answer is one JSON object. Amounts are in whole tokens.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { LegacyClient } from '@dedot/api';
import { Contract } from '@dedot/contracts';
import { WsProvider } from '@dedot/providers';
import { Keyring } from '@polkadot/keyring';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { bundle, named, PRICE_DECIMALS, show, units } from './breakwater.js';

async function main() {
  const { values: given } = parseArgs({
    options: {
      deployment: { type: 'string' },
      url: { type: 'string', default: 'ws://127.0.0.1:9944' },
      batch: { type: 'string' },
      budget: { type: 'string' },
      limit: { type: 'string' },
      blocks: { type: 'string', default: '100' },
    },
  });
  if (!given.deployment) throw new Error('--deployment is missing: give the file that breakwaterctl deploy wrote');
  const record = JSON.parse(readFileSync(given.deployment, 'utf8'));
  // The legacy interface tells the best block, on which contracts are called.
  const client = await LegacyClient.new(new WsProvider(given.url));
  try {
    await cryptoWaitReady();
    const keyring = new Keyring({ type: 'sr25519' });
    const secret = process.env.BREAKWATER_SURI;
    const signer = keyring.addFromUri(secret ?? '//Alice');
    const at = (name, contract) =>
      new Contract(client, bundle(name), contract.address, { defaultCaller: signer.address });
    const vault = at('margin_vault', record.vault);
    const auction = at('liquidation_auction', record.auction);
    // What a message returns by its Rust name; a typed error of the contract is an exception.
    const ask = async (contract, message, ...args) => {
      const { data } = await named(contract, 'query', message)(...args);
      if (data?.isErr) throw new Error(`${message}: refused with ${text(data.err)}`);
      return data?.isOk ? data.value : data;
    };
    const quote = (amount) => show(amount, record.quote_decimals);
    const collateral = (amount) => show(amount, record.collateral_decimals);

    const { market } = record;
    const prices = await ask(vault, 'market_prices', market);
    const books = await ask(vault, 'accounting', market);
    const answer = {
      market,
      price: show(prices.spot, PRICE_DECIMALS),
      cash: quote(books.state.cash),
      batches: books.state.batches,
      running: books.state.running.map((batch) => batch.number),
      balance: quote(await ask(auction, 'balance', market, signer.address)),
    };
    if (given.batch !== undefined) {
      const key = { market, number: Number(given.batch) };
      if (given.budget !== undefined) {
        const budget = units(given.budget, record.quote_decimals);
        const limit = units(given.limit, PRICE_DECIMALS);
        const now = await client.query.system.number();
        answer.bid = await bid(client, auction, signer, [key, budget, limit, now + Number(given.blocks)]);
      }
      const status = await ask(auction, 'status', key);
      if (!status) throw new Error(`batch ${key.number} does not exist`);
      answer.batch = {
        stage: status.stage,
        step: status.step,
        price: show(status.price, PRICE_DECIMALS),
        target: quote(status.target),
        demand: quote(status.demand),
      };
      const { bids } = await ask(auction, 'bids_of', key, signer.address, 0);
      answer.bids = bids.map(([id, { budget, limit, step }, fill]) => ({
        id,
        budget: quote(budget),
        limit: show(limit, PRICE_DECIMALS),
        step,
        receives: fill ? collateral(fill.received) : null,
      }));
    }
    console.log(JSON.stringify(answer, null, 2));
  } finally {
    await client.disconnect();
  }
}

// A contract's error in a line; its amounts are bigints, which JSON has not.
const text = (error) => JSON.stringify(error, (_, value) => (typeof value === 'bigint' ? `${value}` : value));

// Places a bid and returns its number. The dry run comes first: it has the contract's error, a failed transaction has not.
async function bid(client, auction, signer, args) {
  const tried = await named(auction, 'query', 'bid')(...args, { caller: signer.address });
  if (tried.data.isErr) throw new Error(`bid: refused with ${text(tried.data.err)}`);
  // A tenth more than the dry run needed: the chain may have moved on when the bid arrives.
  const { refTime, proofSize } = tried.raw.gasRequired;
  const gasLimit = { refTime: (refTime * 11n) / 10n, proofSize: (proofSize * 11n) / 10n };
  const sent = named(auction, 'tx', 'bid')(...args, { gasLimit });
  const { events, dispatchError } = await sent.signAndSend(signer).untilBestChainBlockIncluded();
  if (dispatchError) throw new Error('bid: the chain refused it although the dry run did not; try again');
  // With others bidding at the same time only the event tells the number.
  return auction.events.BidPlaced.find(events).data.bid;
}

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
