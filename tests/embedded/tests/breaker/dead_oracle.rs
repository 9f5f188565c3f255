//! An oracle that does not answer, because it is gone or because the caller starves it.

use super::*;

/// A vault and an auction whose oracle is no contract at all, wired like the scene's.
fn with_a_dead_oracle(s: &mut Scene) -> Deployment {
    let (governor, nowhere) = (s.w.governor(), s.stranger);
    let new = || ExecutionInput::new(Selector::new(ink::selector_bytes!("new"))).push_arg(governor);
    let vault_code = Contract::MarginVault.code().expect("code");
    let auction_code = Contract::LiquidationAuction.code().expect("code");
    let ext = Contract::VaultExt.code_hash().expect("code");
    let arguments = Constructor::<()>::new(&new().push_arg(nowhere).push_arg(ext));
    let made =
        s.w.chain
            .instantiate(&governor, &vault_code, arguments, b"dead");
    let vault = block_on(made).expect("instantiates").value;
    let ext = Contract::AuctionExt.code_hash().expect("code");
    let arguments = Constructor::<()>::new(&new().push_arg(vault).push_arg(nowhere).push_arg(ext));
    let made =
        s.w.chain
            .instantiate(&governor, &auction_code, arguments, b"dead");
    let auction = block_on(made).expect("instantiates").value;
    let d = Deployment {
        oracle: nowhere,
        vault,
        auction,
        ..s.w.d
    };
    sent(
        s,
        governor,
        vault,
        d.vault().call_mut().set_auction(auction),
    );
    for token in [d.collateral, d.quote] {
        s.w.fund(governor, token, PROBE, vault);
    }
    let create = d
        .vault()
        .call_mut()
        .create_market(d.collateral, d.quote, example_params());
    sent(s, governor, vault, create);
    let register = d.auction().call_mut().register_market(0);
    sent(s, governor, auction, register);
    d
}

/// Sends a message that succeeds to a contract outside the scene's books.
#[track_caller]
fn sent<T: Decode, E: Decode + Debug>(
    s: &mut Scene,
    who: AccountId,
    to: AccountId,
    message: impl Into<Message<Result<T, E>>>,
) -> T {
    block_on(s.w.chain.call(&who, to, message))
        .expect("is allowed")
        .value
}

/// Promise 6 with an oracle that is no contract any more: anyone halts the market, and what
/// protects its users works.
#[test]
fn promise_6_a_dead_oracle_halts_and_locks_nobody_in() {
    let mut s = Scene::new();
    let d = with_a_dead_oracle(&mut s);
    let who = s.w.account(60);
    s.w.fund(who, d.quote, quote(100), d.vault);
    s.w.fund(who, d.collateral, collateral(2), d.vault);
    for cause in [Cause::Jump, Cause::Dispersed] {
        let message = d.breaker().call_mut().trip(Some(0), cause);
        let error = Error::Breaker(BreakerError::WithinBounds);
        s.w.refused(who, d.auction, message, error);
    }
    let stale = d.breaker().call_mut().trip(Some(0), Cause::Stale);
    let tripped = sent(&mut s, who, d.auction, stale);
    assert_eq!(
        tripped,
        Tripped {
            stage: Stage::Halted
        }
    );
    sent(
        &mut s,
        who,
        d.vault,
        d.vault().call_mut().supply(0, quote(100)),
    );
    let (shares, _) =
        s.w.ask(d.vault, d.vault().call().lender(0, who))
            .expect("adds up");
    sent(&mut s, who, d.vault, d.vault().call_mut().redeem(0, shares));
    sent(
        &mut s,
        who,
        d.vault,
        d.vault().call_mut().deposit(0, collateral(2)),
    );
    sent(
        &mut s,
        who,
        d.vault,
        d.vault().call_mut().withdraw(0, collateral(2)),
    );
    // Nobody has shown that the oracle is back, so only the governor reopens.
    s.w.advance(20_000);
    let remains = Error::Breaker(BreakerError::CauseRemains(Cause::Stale));
    s.w.refused(
        who,
        d.auction,
        d.breaker().call_mut().reopen(MARKET),
        remains,
    );
    let governor = s.w.governor();
    sent(
        &mut s,
        governor,
        d.auction,
        d.breaker().call_mut().lower(MARKET, Stage::Open),
    );
}

/// With too little gas for the oracle's answer there is none, but that trips nothing: what is left
/// does not suffice for telling the vault either.
#[test]
fn a_caller_who_starves_the_oracle_of_gas_trips_nothing() {
    let mut s = Scene::new();
    let d = s.w.d;
    let message = || d.breaker().call_mut().trip(Some(0), Cause::Stale);
    let most = Gas {
        ref_time: 100_000_000_000,
        proof_size: 2_000_000,
    };
    let limits = (1..200u64).flat_map(|part| {
        [
            Gas {
                proof_size: part * 4_000,
                ..most
            },
            Gas {
                ref_time: part * 100_000_000,
                ..most
            },
        ]
    });
    let mut starved = 0;
    for limit in limits {
        let options = CallOptions::default().with_gas_limit(limit);
        let tried = block_on(
            s.w.chain
                .dry_run_with(&s.stranger, d.auction, message(), options),
        );
        match tried {
            Ok(_) => panic!("tripped with {limit:?}"),
            Err(CallError::Reverted(Error::Breaker(BreakerError::WithinBounds))) => {}
            Err(_) => starved += 1,
        }
    }
    assert!(starved > 20, "{starved} limits were too low for an answer");
    assert_eq!(trip(&mut s, Cause::Stale), within());
}
