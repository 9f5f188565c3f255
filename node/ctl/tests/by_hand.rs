//! What lenders, borrowers, bidders and keepers may send, typed by hand on a node.

use breakwater_chain::Signer;
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Shares};
use breakwater_interfaces::auction::BatchKey;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::{Accounting, MarginVault, VaultError};
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_node::KeySigner;
use breakwater_node_tests::terminal::Terminal;
use breakwater_node_tests::{collateral, price, quote, signer, World};
use breakwater_operator::config::show_address;
use breakwater_operator::decimal;
use breakwater_sim::books::Books;
use breakwater_sim::deployment::{mint, Deployment};
use ink::codegen::TraitCallBuilder;
use serde_json::Value;
use tempfile::TempDir;

/// A market, a terminal for it, and the secrets of its accounts by name.
struct Life {
    w: World,
    t: Terminal,
    _directory: TempDir,
}

impl Life {
    async fn begun(name: &str) -> Self {
        let w = World::deployed(name).await;
        let directory = TempDir::new().expect("a directory");
        let record = directory.path().join("market.json");
        w.record.write(&record).expect("writes");
        let t = Terminal::new(env!("CARGO_BIN_EXE_breakwaterctl"), &record);
        let mut life = Self {
            w,
            t,
            _directory: directory,
        };
        life.w.set_price(price(200)).await;
        life
    }

    /// An account with tokens that it has approved to nobody.
    async fn account(&mut self, name: &str, whole_quote: u128, whole_collateral: u128) {
        let (who, d) = (self.w.account(name).await, self.w.d);
        for (token, amount) in [
            (d.quote, quote(whole_quote)),
            (d.collateral, collateral(whole_collateral)),
        ] {
            if !amount.is_zero() {
                let message = mint(who.account_id(), amount.get());
                self.w.send(&who, token, message).await;
            }
        }
    }

    fn who(&self, name: &str) -> KeySigner {
        signer(&self.w.suri(name))
    }

    fn address(&self, name: &str) -> String {
        show_address(self.who(name).account_id())
    }

    #[track_caller]
    fn act(&self, name: &str, line: &str) -> Value {
        self.t.act(&self.w.suri(name), line)
    }

    #[track_caller]
    fn refused(&self, code: i32, name: &str, line: &str) -> String {
        self.t.refused(code, &self.w.suri(name), line)
    }

    #[track_caller]
    fn position(&self, name: &str) -> Value {
        self.t
            .look(&format!("position --owner {}", self.address(name)))
    }

    async fn held(&self, token: breakwater_chain::AccountId, name: &str) -> Amount {
        let owner = self.who(name).account_id();
        let message = Deployment::token(token).call().balance_of(owner);
        Amount::new(self.w.ask::<u128>(token, message).await)
    }

    async fn accounting(&self) -> Accounting {
        let d = self.w.d;
        let message = d.vault().call().accounting(d.market);
        let books: Result<Accounting, VaultError> = self.w.ask(d.vault, message).await;
        books.expect("answers")
    }

    /// Every token is where the contracts say it is.
    async fn assert_books(&self, batches: &[u32]) {
        let market = self.w.d.market;
        let batches: Vec<_> = batches
            .iter()
            .map(|number| BatchKey {
                market,
                number: *number,
            })
            .collect();
        let books = Books::read(&self.w.node, &self.w.d, &batches).await;
        assert_eq!(books.expect("books").fault(), None);
    }
}

/// Whole quote tokens as the commands write them.
fn shown(amount: Amount) -> String {
    decimal::show(amount.get(), 6)
}

fn units(text: &Value) -> u128 {
    decimal::units(text.as_str().expect("is text"), 6).expect("is a number")
}

fn number(value: &Value) -> u32 {
    let number = value.as_u64().expect("is a number");
    u32::try_from(number).expect("is small")
}

#[tokio::test]
async fn a_lender_redeems_by_hand_and_is_told_what_is_set_aside_for_losses_that_show() {
    let mut l = Life::begun("redeems").await;
    l.account("lender", 10_000, 0).await;
    l.account("owner", 0, 10).await;
    let line = l.refused(2, "lender", "redeem --all");
    assert!(line.contains("has lent nothing"), "{line}");
    l.act("lender", "supply 10_000");
    assert_eq!(l.position("lender")["shares"], "10000");
    let line = l.refused(2, "lender", "redeem 10_000.000000000001");
    assert!(line.contains("has 10000 shares, not 10000.00"), "{line}");
    assert_eq!(l.act("owner", "deposit 10")["deposited"], "10");
    assert_eq!(l.act("owner", "borrow 1490")["borrowed"], "1490");

    // A half at its value: nothing is at risk yet.
    let half = l.act("lender", "redeem 5_000");
    assert_eq!(half["redeemed"], "5000");
    assert_eq!(half["provision"], "0");
    assert_eq!(half["shares_left"], "5000");
    let paid = units(&half["paid"]);
    assert!(paid >= quote(5_000).get(), "interest has come in: {half}");
    assert_eq!(l.held(l.w.d.quote, "lender").await.get(), paid);
    // The rest is lent out in part.
    let line = l.refused(1, "lender", "redeem --all");
    assert!(
        line.contains("InsufficientCash") && line.contains("lent out"),
        "{line}"
    );

    // A batch that at its floor brings less than is owed: nobody leaves ahead of that.
    l.account("keeper", 0, 0).await;
    l.w.set_price(price(172)).await;
    l.w.set_price(price(150)).await;
    l.act("keeper", "open");
    let before = l.accounting().await;
    let running = before.state.running.first().expect("runs");
    let lacking = running.provision;
    assert!(lacking > quote(100), "{lacking:?}");
    let some = l.act("lender", "redeem 100");
    assert_eq!(some["provision"], shown(lacking).as_str());
    let shares = Shares::new(100 * 1_000_000_000_000);
    let left = before.lenders_assets.minus(lacking).expect("is less");
    let part = left.mul_div(
        shares.get(),
        before.state.supply_shares.get(),
        Rounding::Down,
    );
    let (paid, part) = (units(&some["paid"]), part.expect("fits").get());
    // Its interest has grown by some blocks.
    assert!(paid.abs_diff(part) < 1_000, "{paid} {part}");
    assert!(paid < quote(98).get(), "less than its shares were worth");
    l.assert_books(&[0]).await;
}

#[tokio::test]
async fn borrowers_and_keepers_do_all_that_they_may_by_hand() {
    let mut l = Life::begun("by-hand").await;
    let d = l.w.d;
    l.account("lender", 10_000, 0).await;
    l.account("leaver", 1_000, 10).await;
    l.account("payer", 2_000, 10).await;
    l.account("bidder", 3_000, 0).await;
    l.account("keeper", 0, 0).await;
    l.act("lender", "supply 10_000");
    let line = l.refused(1, "leaver", "close");
    assert!(line.contains("the position is empty"), "{line}");
    let line = l.refused(2, "leaver", "deposit-and-borrow --deposit 11 --borrow 1");
    assert!(line.contains("holds 10 collateral, not 11"), "{line}");
    let both = l.act("leaver", "deposit-and-borrow --deposit 10 --borrow 1_500");
    assert_eq!(
        (&both["deposited"], &both["borrowed"]),
        (&"10".into(), &"1500".into())
    );
    let both = l.act("leaver", "repay-and-withdraw --repay 20 --withdraw 0.1");
    assert_eq!(
        (&both["repaid"], &both["withdrawn"]),
        (&"20".into(), &"0.1".into())
    );
    assert_eq!(l.position("leaver")["collateral"], "9.9");
    let both = l.act("payer", "deposit-and-borrow --deposit 10 --borrow 1_490");
    assert_eq!(both["borrowed"], "1490");
    // Anyone repays for anyone.
    let payer = l.address("payer");
    let repaid = l.act("bidder", &format!("repay 10 --owner {payer}"));
    assert_eq!(repaid["repaid"], "10");
    let line = l.refused(1, "keeper", "open");
    assert!(line.contains("no position is under water"), "{line}");
    let line = l.refused(2, "leaver", "leave");
    assert!(line.contains("in no batch"), "{line}");

    l.w.set_price(price(172)).await;
    let opened = l.act("keeper", "open");
    assert_eq!(
        (&opened["positions"], &opened["collateral"]),
        (&2.into(), &"19.9".into())
    );
    let batch = number(&opened["batch"]);
    let line = l.refused(1, "keeper", &format!("extend {batch}"));
    assert!(line.contains("no position is under water"), "{line}");
    let line = l.refused(1, "keeper", &format!("reprice {batch}"));
    assert!(line.contains("goes on as it is"), "{line}");
    let line = l.refused(1, "keeper", &format!("clear {batch}"));
    assert!(line.contains("still running"), "{line}");

    // Out of a batch: only with target health, and the line says how much it takes.
    let line = l.refused(1, "leaver", "close");
    assert!(
        line.contains(&format!("in batch {batch}: `leave` it")),
        "{line}"
    );
    let line = l.refused(1, "leaver", "leave");
    let missing = line.split_once("`repay` ").expect("says how much").1;
    let missing = missing.split_once(" quote").expect("of quote").0;
    let one = Amount::new(units(&missing.into()) - 1);
    l.act("leaver", &format!("repay {}", shown(one)));
    let line = l.refused(1, "leaver", "leave");
    assert!(line.contains("`repay` 0.000001 quote"), "{line}");
    l.act("leaver", "repay 0.000001");
    let left = l.act("leaver", "leave");
    assert_eq!(
        (&left["left_batch"], &left["fee"]),
        (&batch.into(), &"5".into())
    );
    assert_eq!(left["collateral"], "9.9");
    assert_eq!(l.position("leaver")["batch"], Value::Null);
    let before = l.held(d.collateral, "leaver").await;
    let closed = l.act("leaver", "close");
    assert!(units(&closed["repaid"]) >= units(&left["debt"]), "{closed}");
    assert_eq!(closed["withdrawn"], "9.9");
    let back = l.held(d.collateral, "leaver").await.minus(before);
    assert_eq!(back, Ok(Amount::new(collateral(99).get() / 10)), "{closed}");
    assert_eq!(l.position("leaver")["debt"], "0");

    // Money paid in advance that the batch did not need comes back.
    let line = l.refused(1, "payer", "reclaim");
    assert!(line.contains("its batch has to settle first"), "{line}");
    let debt = l.position("payer")["debt"].clone();
    let paid = l.act(
        "payer",
        &format!("repay {}", debt.as_str().expect("is text")),
    );
    assert_eq!(paid["repaid"], debt);

    // What the auction would refuse moves no money before it is refused.
    let held = l.held(d.quote, "bidder").await;
    let line = l.refused(
        1,
        "bidder",
        &format!("bid {batch} --budget 500 --limit 0.01"),
    );
    assert!(line.contains("LimitUnderFloor"), "{line}");
    let line = l.refused(1, "bidder", "bid 77 --budget 500 --limit 165");
    assert!(line.contains("UnknownBatch"), "{line}");
    assert_eq!(l.held(d.quote, "bidder").await, held);
    // Who cannot pay a fee is told what to do.
    let line = l.refused(1, "nobody", "sync");
    assert!(line.contains("fund the account"), "{line}");

    // A bid that is changed, one that is taken back, and money that goes in and out.
    let funded = l.act("bidder", "fund 2_000");
    assert_eq!(funded["bidding_balance"], "2000");
    let low = l.act("bidder", &format!("bid {batch} --budget 500 --limit 165"));
    assert_eq!(low["deposited"], "0");
    let low = number(&low["bid"]);
    let line = l.refused(
        2,
        "keeper",
        &format!("replace {batch} {low} --budget 1 --limit 160"),
    );
    assert!(line.contains("has no bid 0"), "{line}");
    let line = l.refused(1, "keeper", &format!("cancel {batch} {low}"));
    assert!(line.contains("sign with the account that bid"), "{line}");
    let changed = format!("replace {batch} {low} --budget 2_100 --limit 160");
    let changed = l.act("bidder", &changed);
    assert_eq!(
        (&changed["budget"], &changed["limit"]),
        (&"2100".into(), &"160".into())
    );
    assert_eq!(changed["deposited"], "100", "what the balance lacked");
    let cancelled = l.act("bidder", &format!("cancel {batch} {low}"));
    assert_eq!(cancelled["bidding_balance"], "2100");
    assert_eq!(l.act("bidder", "unfund 100")["bidding_balance"], "2000");
    let line = l.refused(2, "bidder", "unfund 2_001");
    assert!(
        line.contains("balance with the auction is 2000 quote"),
        "{line}"
    );
    let bid = l.act("bidder", &format!("bid {batch} --budget 2_000 --limit 200"));
    let key = BatchKey {
        market: d.market,
        number: batch,
    };
    let step = u8::try_from(number(&bid["step"])).expect("is small");
    l.w.run_to(key, step + 1).await;

    let cleared = l.act("keeper", &format!("clear {batch}"));
    assert_ne!(cleared["raised"], "0", "{cleared}");
    let settled = l.act("keeper", &format!("settle {batch}"));
    for field in ["raised", "sold"] {
        assert_eq!(settled[field], cleared[field], "{settled}");
    }
    assert_eq!(
        (&settled["shortfall"], &settled["rested"]),
        (&"0".into(), &true.into())
    );
    let line = l.refused(1, "keeper", &format!("settle {batch}"));
    assert!(line.contains("somebody has settled it"), "{line}");
    let claimed = l.act("bidder", &format!("claim {batch}"));
    assert_eq!(
        claimed["received"], settled["sold"],
        "the only bid gets all"
    );
    let back = l.act("bidder", "unfund --all");
    assert_eq!(back["bidding_balance"], "0");
    assert_eq!(back["withdrawn"], claimed["refunded"]);

    // The keeper opened and settled: all of the reward is its own.
    let earned = l.position("keeper")["keeper_reward"].clone();
    assert_eq!(earned, settled["reward"]);
    assert_ne!(earned, "0");
    assert_eq!(l.act("keeper", "claim-reward")["paid"], earned);
    assert_eq!(shown(l.held(d.quote, "keeper").await), earned);
    let line = l.refused(1, "keeper", "claim-reward");
    assert!(line.contains("nothing to pay out"), "{line}");

    let synced = l.act("keeper", &format!("sync --owner {payer}"));
    assert_eq!(synced["up_to_date"], true);
    let before = l.held(d.quote, "payer").await;
    let reclaimed = l.act("payer", "reclaim");
    let back = l.held(d.quote, "payer").await.minus(before).expect("more");
    assert_eq!(reclaimed["reclaimed"], shown(back).as_str());
    // What the sale repaid of the debt was not needed.
    assert_eq!(reclaimed["reclaimed"], settled["repaid"]);
    let line = l.refused(1, "payer", "reclaim");
    assert!(line.contains("nothing is left over"), "{line}");
    let closed = l.act("payer", "close");
    assert_eq!(
        (&closed["repaid"], &closed["reclaimed"]),
        (&"0".into(), &"0".into())
    );
    assert_eq!(l.position("payer")["collateral"], "0");
    l.assert_books(&[batch]).await;
}

#[tokio::test]
async fn standing_bids_are_put_in_taken_out_and_claimed_by_hand() {
    let mut l = Life::begun("standing").await;
    let d = l.w.d;
    l.account("lender", 10_000, 0).await;
    l.account("owner", 0, 10).await;
    l.account("depth", 3_000, 0).await;
    l.account("keeper", 0, 0).await;
    l.act("lender", "supply 10_000");
    l.act("owner", "deposit-and-borrow --deposit 10 --borrow 1_490");
    let line = l.refused(2, "depth", "stand 31 100");
    assert!(line.contains("2..=30"), "{line}");
    let line = l.refused(1, "depth", "stand 3 0.5");
    assert!(line.contains("AmountTooSmall"), "{line}");
    assert_eq!(l.held(d.quote, "depth").await, quote(3_000));
    l.act("depth", "fund 1_000");
    let stood = l.act("depth", "stand 3 2_500");
    assert_eq!(
        (&stood["entered"], &stood["deposited"]),
        (&"2500".into(), &"1500".into())
    );
    let out = l.act("depth", "unstand 3 500");
    assert_eq!(
        (&out["asked"], &out["returned"]),
        (&"500".into(), &"500".into())
    );
    let tiers = l.t.look("standing")["tiers"].clone();
    assert_eq!(
        (&tiers[0]["percent"], &tiers[0]["standing"]),
        (&3.into(), &"2000".into())
    );
    let line = l.refused(1, "depth", "claim-standing 3");
    assert!(line.contains("nothing to pay out"), "{line}");

    l.w.set_price(price(172)).await;
    let batch = number(&l.act("keeper", "open")["batch"]);
    let reserved = l.t.look("standing")["tiers"][0]["reserved"].clone();
    assert_ne!(reserved, "0");
    // What a batch has reserved is asked for now and claimed later.
    let out = l.act("depth", "unstand 3 --all");
    assert_eq!(
        (&out["asked"], &out["returned"]),
        (&"2000".into(), &"0".into())
    );
    let key = BatchKey {
        market: d.market,
        number: batch,
    };
    let steps = l.w.auction(key).await.auction.schedule.steps;
    l.w.run_to(key, steps).await;
    let settled = l.act("keeper", &format!("settle {batch}"));
    assert_ne!(settled["sold"], "0", "{settled}");

    let depth = l.address("depth");
    let mine = l.t.look(&format!("standing --owner {depth}"))["tiers"][0].clone();
    assert_eq!(mine["standing"], "0", "it has left the tier");
    let claimed = l.act("depth", "claim-standing 3");
    assert_eq!(claimed["received"], mine["collateral"]);
    assert_eq!(claimed["returned"], mine["payable"]);
    let got = decimal::show(l.held(d.collateral, "depth").await.get(), 18);
    assert_eq!(claimed["received"], got.as_str());
    // Everything it put in has been spent or is back, but for a unit of rounding.
    let back = units(&claimed["returned"]) + units(&settled["raised"]);
    assert!(quote(2_000).get() - back <= 1, "{claimed} {settled}");
    assert_eq!(
        l.t.look(&format!("standing --owner {depth}"))["tiers"],
        Value::Array(vec![])
    );
    l.assert_books(&[batch]).await;
}

#[tokio::test]
async fn a_market_that_is_wound_down_pays_its_lenders_by_hand() {
    let mut l = Life::begun("wind-down").await;
    let d = l.w.d;
    l.account("lender", 1_000, 0).await;
    l.account("other", 3_000, 0).await;
    l.account("owner", 1_000, 10).await;
    l.account("giver", 100, 0).await;
    l.act("lender", "supply 1_000");
    l.act("other", "supply 3_000");
    l.act("owner", "deposit-and-borrow --deposit 10 --borrow 1_000");
    let line = l.refused(1, "lender", "collect");
    assert!(line.contains("`redeem` shares instead"), "{line}");
    let given = l.act("giver", "insure 40");
    assert_eq!(
        (&given["given"], &given["to_lenders"]),
        (&"40".into(), &"0".into())
    );
    assert_eq!(l.t.look("status")["insurance"], "40");
    let line = l.refused(1, "giver", "apply-params");
    assert!(line.contains("nothing has been announced"), "{line}");
    let line = l.refused(1, "giver", "apply-feed");
    assert!(line.contains("nothing has been announced"), "{line}");
    let giver = l.address("giver");
    let line = l.refused(1, "giver", &format!("poke --source {giver}"));
    assert!(line.contains("no source at that address"), "{line}");

    let message = d.admin().call_mut().wind_down(d.market);
    l.w.send(&signer("//Alice"), d.vault, message).await;
    let line = l.refused(1, "lender", "redeem --all");
    assert!(line.contains("lenders `collect` instead"), "{line}");
    // A quarter of the 3 000 that are there, and a quarter of what is repaid, whoever asks first; the
    // reserve has a share of the interest.
    let collected = |l: &Life, name: &str| units(&l.act(name, "collect")["collected"]);
    let near = |paid: u128, whole: u128| {
        let quarter = quote(whole).get();
        assert!(paid <= quarter && quarter - paid < 100, "{paid} of {whole}");
    };
    let first = collected(&l, "lender");
    near(first, 750);
    let line = l.refused(1, "lender", "collect");
    assert!(line.contains("wait until debts are repaid"), "{line}");
    l.act("owner", "repay 400");
    let all = first + collected(&l, "lender");
    near(all, 850);
    assert_eq!(l.held(d.quote, "lender").await.get(), all);
    near(collected(&l, "other"), 2_550);
    // Nothing has been taken in kind: that has to wait for the market's notice.
    let line = l.refused(1, "lender", "collect --in-kind");
    assert!(line.contains("NothingToCollect"), "{line}");
    let owner = l.address("owner");
    let line = l.refused(1, "other", &format!("take-in-kind --owner {owner}"));
    assert!(line.contains("older than the market's notice"), "{line}");
    l.assert_books(&[]).await;
}
