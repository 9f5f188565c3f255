//! The chain in the process does what the node does: calls recorded here on the node, over all
//! contracts, have the same results, events, gas and storage deposits there. What is compared, and what
//! is not, is in `docs/operating.md`.

use breakwater_chain::{CallError, Chain};
use breakwater_core::breaker::{Cause, Stage};
use breakwater_core::market::Limits;
use breakwater_core::units::{Amount, Shares};
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::governance::{Governed, Guarded};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_node::{KeySigner, Node, Settings};
use breakwater_node_tests::process::Process;
use breakwater_node_tests::{collateral, price, quote, signer, World};
use breakwater_sim::deployment::{Deployment, Plan};
use breakwater_sim::recorded::{Call, Operation, Recorder, Recording};
use ink::codegen::TraitCallBuilder;
use std::path::Path;
use std::process::Command;

/// Sends a message that succeeds.
macro_rules! done {
    ($r:expr, $($who:expr => $contract:expr, $message:expr;)*) => {$(
        $r.call($who, $contract, $message)
            .await
            .unwrap_or_else(|error| panic!("{error}: {}", stringify!($message)));
    )*};
}

/// Sends a message that the contract refuses.
macro_rules! refused {
    ($r:expr, $($who:expr => $contract:expr, $message:expr;)*) => {$(
        let result = $r.call($who, $contract, $message).await;
        assert!(
            matches!(result, Err(CallError::Reverted(_))),
            "{result:?}: {}",
            stringify!($message)
        );
    )*};
}

struct Cast {
    governor: KeySigner,
    guardian: KeySigner,
    feeders: Vec<KeySigner>,
    lender: KeySigner,
    owner: KeySigner,
    keeper: KeySigner,
    bidders: [KeySigner; 2],
}

impl Cast {
    async fn new(node: &Node) -> Self {
        let mut funded = Vec::new();
        for name in ["guardian", "lender", "owner", "keeper", "one", "two"] {
            let account = signer(&format!("//Recorded//{name}"));
            let to = breakwater_chain::Signer::account_id(&account);
            node.pay(&signer("//Dave"), to, 1_000_000_000_000_000)
                .await
                .expect("pays");
            funded.push(account);
        }
        let [guardian, lender, owner, keeper, one, two] =
            <[KeySigner; 6]>::try_from(funded).unwrap_or_else(|_| panic!("six"));
        Self {
            governor: signer("//Alice"),
            guardian,
            feeders: ["//Alice", "//Bob", "//Charlie"].map(signer).into(),
            lender,
            owner,
            keeper,
            bidders: [one, two],
        }
    }
}

fn id(who: &KeySigner) -> breakwater_chain::AccountId {
    breakwater_chain::Signer::account_id(who)
}

/// A market's life with everything that contracts do in it.
async fn play(r: &mut Recorder<Node>, cast: &Cast) -> Deployment {
    let config = World::config("recorded");
    let plan = Plan {
        governor: cast.governor.clone(),
        feeders: cast.feeders.iter().map(id).collect(),
        feed: config.feed,
        params: config.params,
    };
    let d = Deployment::deploy(r, &plan).await.expect("deploys");
    lend_and_borrow(r, cast, &d).await;
    auction(r, cast, &d).await;
    govern(r, cast, &d).await;
    d
}

async fn set_price(r: &mut Recorder<Node>, cast: &Cast, d: &Deployment, whole: u128) {
    for _ in 0..2 {
        r.advance(1).await.expect("a block");
        let now = r.now().await.expect("a clock");
        d.submit_price(r, &cast.feeders[..2], price(whole), now)
            .await
            .expect("submits");
    }
}

async fn lend_and_borrow(r: &mut Recorder<Node>, cast: &Cast, d: &Deployment) {
    let (lender, owner, stranger) = (&cast.lender, &cast.owner, &cast.keeper);
    refused!(r,
        // No round has been accepted.
        owner => d.vault, d.vault().call_mut().borrow(0, quote(1));
        stranger => d.oracle, d.oracle().call_mut().submit(0, price(200), 1);
        stranger => d.oracle, d.oracle().call_mut().add_feeder(0, id(stranger));
    );
    set_price(r, cast, d, 200).await;
    d.fund(r, lender, d.quote, quote(100_000), d.vault)
        .await
        .expect("funds");
    d.fund(r, owner, d.collateral, collateral(20), d.vault)
        .await
        .expect("funds");
    done!(r,
        lender => d.vault, d.vault().call_mut().supply(0, quote(100_000));
        lender => d.vault, d.vault().call_mut().redeem(0, Shares::new(1_000_000));
        owner => d.vault, d.vault().call_mut().deposit(0, collateral(1));
        owner => d.vault, d.vault().call_mut().borrow(0, quote(120));
        owner => d.vault, d.vault().call_mut().deposit_and_borrow(0, collateral(9), quote(1_370));
        owner => d.quote, Deployment::token(d.quote).call_mut().approve(d.vault, quote(500).get());
        owner => d.vault, d.vault().call_mut().repay(0, id(owner), quote(100));
        owner => d.vault, d.vault().call_mut().borrow(0, quote(100));
        owner => d.vault, d.vault().call_mut().deposit(0, collateral(1));
        owner => d.vault, d.vault().call_mut().withdraw(0, collateral(1));
        stranger => d.vault, d.vault().call_mut().sync(0, id(owner), 4);
        stranger => d.quote, Deployment::token(d.quote).call_mut().approve(id(owner), 5);
    );
    refused!(r,
        lender => d.vault, d.vault().call_mut().supply(0, quote(1));
        lender => d.vault, d.vault().call_mut().supply(7, quote(1));
        owner => d.vault, d.vault().call_mut().borrow(0, quote(1_000));
        owner => d.vault, d.vault().call_mut().withdraw(0, collateral(9));
        stranger => d.vault, d.vault().call_mut().repay(0, id(owner), quote(1));
        stranger => d.vault, d.vault().call_mut().claim_reward(0);
        owner => d.quote, Deployment::token(d.quote).call_mut().transfer(id(lender), u128::MAX, Vec::new());
    );
}

async fn auction(r: &mut Recorder<Node>, cast: &Cast, d: &Deployment) {
    let ([one, two], keeper, owner) = (&cast.bidders, &cast.keeper, &cast.owner);
    for bidder in [one, two] {
        d.fund(r, bidder, d.quote, quote(8_000), d.auction)
            .await
            .expect("funds");
        done!(r, bidder => d.auction, d.auction().call_mut().deposit(0, quote(8_000)););
    }
    done!(r,
        one => d.auction, d.auction().call_mut().withdraw(0, quote(1_000));
        two => d.auction, d.standing().call_mut().stand(0, 5, quote(1_000));
        two => d.auction, d.standing().call_mut().stand(0, 10, quote(500));
        two => d.auction, d.standing().call_mut().unstand(0, 10, quote(500));
    );
    let batch = BatchKey {
        market: 0,
        number: 0,
    };
    refused!(r,
        keeper => d.auction, d.auction().call_mut().open_batch(0);
        keeper => d.auction, d.auction().call_mut().settle(batch);
        one => d.auction, d.auction().call_mut().bid(batch, quote(500), price(190), u32::MAX);
        one => d.auction, d.auction().call_mut().withdraw(0, quote(8_000));
        two => d.auction, d.standing().call_mut().stand(0, 1, quote(1_000));
        keeper => d.auction, d.breaker().call_mut().trip(Some(0), Cause::Stale);
    );
    set_price(r, cast, d, 172).await;
    // The round has to be a block old.
    r.advance(1).await.expect("a block");
    done!(r, keeper => d.auction, d.auction().call_mut().open_batch(0););
    let message = d.auction().call().auction(batch);
    let record: Option<breakwater_interfaces::auction::AuctionRecord> = r
        .query(d.auction, d.auction, message)
        .await
        .expect("answers");
    let auction = record.expect("is open").auction;
    let (limit, half) = (auction.prices[9], Amount::new(auction.targets[9].get() / 2));
    done!(r,
        one => d.auction, d.auction().call_mut().bid(batch, half, limit, u32::MAX);
        one => d.auction, d.auction().call_mut().bid(batch, quote(300), auction.prices[40], u32::MAX);
        // Standing bids pay for the rest, further down.
        two => d.auction, d.auction().call_mut().bid(batch, quote(300), limit, u32::MAX);
        one => d.auction, d.auction().call_mut().replace(batch, 1, quote(200), auction.prices[41], u32::MAX);
        one => d.auction, d.auction().call_mut().cancel(batch, 1);
    );
    refused!(r,
        one => d.auction, d.auction().call_mut().cancel(batch, 1);
        two => d.auction, d.auction().call_mut().cancel(batch, 0);
        one => d.auction, d.auction().call_mut().bid(batch, quote(9_000), limit, u32::MAX);
        one => d.auction, d.auction().call_mut().bid(batch, quote(500), price(1), u32::MAX);
        one => d.auction, d.auction().call_mut().bid(batch, quote(500), limit, 1);
        keeper => d.auction, d.auction().call_mut().settle(batch);
        one => d.auction, d.auction().call_mut().claim(batch, vec![0]);
        keeper => d.vault, d.vault().call_mut().rest(0, 0, 8);
        owner => d.vault, d.vault().call_mut().withdraw(0, collateral(1));
    );
    let now = r.block().await.expect("a block");
    let end = auction.schedule.begins(auction.schedule.steps);
    r.advance(end.saturating_sub(now)).await.expect("advances");
    done!(r,
        keeper => d.auction, d.auction().call_mut().advance(batch);
        keeper => d.auction, d.auction().call_mut().settle(batch);
        one => d.auction, d.auction().call_mut().claim(batch, vec![0]);
        two => d.auction, d.auction().call_mut().claim(batch, vec![2]);
        two => d.auction, d.standing().call_mut().unstand(0, 5, quote(100));
        keeper => d.vault, d.vault().call_mut().rest(0, 0, 8);
        keeper => d.vault, d.vault().call_mut().claim_reward(0);
        owner => d.vault, d.vault().call_mut().repay(0, id(owner), quote(10));
    );
    refused!(r,
        keeper => d.auction, d.auction().call_mut().settle(batch);
        one => d.auction, d.auction().call_mut().claim(batch, vec![0]);
        one => d.auction, d.auction().call_mut().bid(batch, quote(500), limit, u32::MAX);
        keeper => d.auction, d.auction().call_mut().reprice(batch);
        two => d.auction, d.standing().call_mut().claim_standing(0, 10);
    );
}

async fn govern(r: &mut Recorder<Node>, cast: &Cast, d: &Deployment) {
    let (governor, guardian, stranger) = (&cast.governor, &cast.guardian, &cast.keeper);
    let mut params = World::config("recorded").params;
    params.min_debt = quote(200);
    let limits = Limits {
        initial_ltv: params.initial_ltv,
        debt_ceiling: quote(1_000_000),
        supply_cap: quote(1_000_000),
    };
    d.fund(r, stranger, d.quote, quote(50), d.vault)
        .await
        .expect("funds");
    done!(r,
        governor => d.auction, Deployment::guarded(d.auction).call_mut().set_guardian(Some(id(guardian)));
        guardian => d.auction, d.breaker().call_mut().raise(Some(0), Stage::NoNewRisk);
        governor => d.auction, d.breaker().call_mut().lower(Some(0), Stage::Open);
        governor => d.vault, d.admin().call_mut().propose_params(0, params.clone());
        governor => d.vault, d.admin().call_mut().cancel_params(0);
        governor => d.vault, d.admin().call_mut().restrict(0, limits);
        stranger => d.vault, d.admin().call_mut().insure(0, quote(50));
        governor => d.vault, Deployment::governed(d.vault).call_mut().propose_governor(Some(id(guardian)));
        guardian => d.vault, Deployment::governed(d.vault).call_mut().accept_governor();
        governor => d.oracle, d.oracle().call_mut().remove_feeder(0, id(&cast.feeders[2]));
    );
    refused!(r,
        governor => d.vault, d.admin().call_mut().restrict(0, limits);
        guardian => d.vault, d.admin().call_mut().apply_params(0);
        stranger => d.auction, d.breaker().call_mut().raise(None, Stage::Halted);
        stranger => d.auction, d.breaker().call_mut().lower(None, Stage::Open);
        guardian => d.vault, d.vault().call_mut().set_auction(id(stranger));
        stranger => d.auction, d.auction().call_mut().register_market(0);
    );
    done!(r, guardian => d.auction, d.breaker().call_mut().raise(None, Stage::Halted););
    refused!(r,
        cast.bidders.first().expect("two") => d.auction, d.auction().call_mut().open_batch(0);
    );
}

/// The same recording, played by the chain in the process.
fn played_again(recording: &Recording, directory: &Path) -> Recording {
    let (from, to) = (directory.join("calls.json"), directory.join("again.json"));
    let text = serde_json::to_string(recording).expect("is JSON");
    std::fs::write(&from, text).expect("writes");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // The whole workspace: one package alone would compile its dependencies with other features.
    let built = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--workspace", "--bin", "replay_calls"])
        .status();
    assert!(built.expect("cargo runs").success(), "builds");
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let ran = Command::new(root.join(target).join("debug/replay_calls"))
        .args([&from, &to])
        .status();
    assert!(ran.expect("runs").success(), "plays");
    let text = std::fs::read_to_string(&to).expect("reads");
    serde_json::from_str(&text).expect("is a recording")
}

/// What a node may ask for the record of new code beyond what the embedded chain asks: two bytes. Node
/// and embedded chain are built with different versions of parity-scale-codec, which most likely count the
/// largest length of the two compact numbers in it differently.
const RECORD_OF_CODE: i128 = 10_000_000;

/// Whether a call is the first that brings its code.
fn is_first_of_its_code(recording: &Recording, index: usize) -> bool {
    let code = |call: &Call| match &call.operation {
        Operation::Instantiate { code, .. } => Some(code.clone()),
        Operation::Call { .. } => None,
    };
    let this = code(&recording.calls[index]);
    let mut before = recording.calls[..index].iter();
    this.is_some() && before.all(|call| code(call) != this)
}

/// What was called, for messages.
fn name(call: &Call) -> String {
    let text = format!("{:?}", call.operation);
    text.chars().take(160).collect()
}

#[tokio::test]
async fn calls_on_the_embedded_chain_do_and_cost_what_they_do_and_cost_on_a_node() {
    // A node of its own: whoever else makes blocks would be in the recording.
    let process = Process::start(&["--tmp"]);
    let node = Node::connect(process.url(), Settings::development())
        .await
        .expect("connects");
    let cast = Cast::new(&node).await;
    let mut recorder = Recorder::new(node);
    play(&mut recorder, &cast).await;
    let recording = recorder.recording;
    let directory = tempfile::tempdir().expect("a directory");
    let again = played_again(&recording, directory.path());

    assert_eq!(recording.calls.len(), again.calls.len());
    let (mut different, mut uploads) = (Vec::new(), 0);
    for (index, (node, embedded)) in recording.calls.iter().zip(&again.calls).enumerate() {
        let mut expected = embedded.clone();
        // The one difference there is: the deposit for the record of new code.
        if is_first_of_its_code(&recording, index) {
            if let (Some(here), Some(there)) = (&node.tried.cost, &mut expected.tried.cost) {
                if here.storage_deposit - there.storage_deposit == RECORD_OF_CODE {
                    there.storage_deposit += RECORD_OF_CODE;
                    uploads += 1;
                }
            }
        }
        if *node != expected {
            different.push(format!(
                "{index} {}\n  node     {:?}\n  embedded {:?}",
                name(node),
                (&node.tried, &node.done),
                (&embedded.tried, &embedded.done)
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    let refused = recording.calls.iter().filter(|call| call.done.is_none());
    let refused = refused.count();
    let executed = recording.calls.len() - refused;
    println!(
        "{executed} calls executed and {refused} refused, alike on both; \
         {uploads} deposits for new code differ by {RECORD_OF_CODE}"
    );
    assert!(executed >= 50 && refused >= 25, "{executed} {refused}");
}
