//! Roles and depth: who governs changes hands in two steps, in every contract; dashboards see
//! the ticks without visiting positions.

use breakwater_core::market::example_params;
use breakwater_core::oracle::OracleError;
use breakwater_core::roles::RoleError;
use breakwater_embedded_tests::{collateral, price, quote, World};
use breakwater_interfaces::auction::{AuctionContractError, LiquidationAuction};
use breakwater_interfaces::governance::Governed;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;

#[test]
fn governance_changes_hands_in_two_steps_in_every_contract() {
    let mut w = World::new();
    let (old, heir, stranger) = (w.governor(), w.account(50), w.account(51));
    for contract in [w.d.oracle, w.d.vault, w.d.auction] {
        let mut governed = Deployment::governed(contract);
        let refused = w.send(
            stranger,
            contract,
            governed.call_mut().propose_governor(Some(stranger)),
        );
        assert_eq!(
            refused.unwrap_err().reverted(),
            Some(RoleError::NotGovernor)
        );
        let refused = w.send(heir, contract, governed.call_mut().accept_governor());
        assert_eq!(
            refused.unwrap_err().reverted(),
            Some(RoleError::NotProposed)
        );

        w.send(
            old,
            contract,
            governed.call_mut().propose_governor(Some(heir)),
        )
        .expect("proposes");
        let refused = w.send(stranger, contract, governed.call_mut().accept_governor());
        assert_eq!(
            refused.unwrap_err().reverted(),
            Some(RoleError::NotProposed)
        );
        assert_eq!(w.ask(contract, governed.call().governance()).governor, old);
        w.send(heir, contract, governed.call_mut().accept_governor())
            .expect("accepts");
        let roles = w.ask(contract, governed.call().governance());
        assert_eq!((roles.governor, roles.proposed), (heir, None));
    }
    // The old governor has lost every power, the new one has it.
    let (collateral, quote) = (w.d.collateral, w.d.quote);
    let create = |w: &World| {
        let params = example_params();
        w.d.vault()
            .call_mut()
            .create_market(collateral, quote, params)
    };
    let refused = w.vault(old, create(&w));
    assert_eq!(
        refused.unwrap_err().reverted(),
        Some(VaultError::NotGovernor)
    );
    let refused = w.auction(old, w.d.auction().call_mut().register_market(1));
    assert_eq!(
        refused.unwrap_err().reverted(),
        Some(AuctionContractError::NotGovernor)
    );
    let remove = w.d.oracle().call_mut().remove_feeder(0, w.feeders[0]);
    let refused = w.send(old, w.d.oracle, remove);
    assert_eq!(
        refused.unwrap_err().reverted(),
        Some(OracleError::Unauthorised)
    );
    w.approve_probe(heir, &[collateral, quote]);
    let market = w.vault(heir, create(&w)).expect("creates").value;
    w.auction(heir, w.d.auction().call_mut().register_market(market))
        .expect("registers");
}

#[test]
fn depth_views_equal_the_sum_of_positions() {
    let mut w = World::new();
    let owners: Vec<_> = (10..30).map(|i| w.account(i)).collect();
    for (i, owner) in owners.iter().enumerate() {
        w.open_position(*owner, collateral(10), quote(1_000 + 25 * i as u128));
    }
    for whole in [200, 170, 150, 120] {
        let at = price(whole);
        let risk = w
            .ask(w.d.vault, w.d.vault().call().at_risk(0, at))
            .expect("answers");
        let mut expected = (0, 0, 0);
        for owner in &owners {
            let view = w
                .ask(w.d.vault, w.d.vault().call().position_at(0, *owner, at))
                .expect("answers");
            if view.status.is_liquidatable() {
                expected.0 += 1;
                expected.1 += view.collateral.get();
                expected.2 += view.debt.get();
            }
        }
        assert!(risk.complete);
        assert_eq!(risk.members, expected.0, "at {whole}");
        assert_eq!(
            (risk.collateral.get(), risk.debt.get()),
            (expected.1, expected.2)
        );
    }
    let all = w
        .ask(w.d.vault, w.d.vault().call().histogram(0, 0, u16::MAX))
        .expect("answers");
    assert_eq!(all.ticks.iter().map(|tick| tick.members).sum::<u32>(), 20);
    let debt: u128 = all.ticks.iter().map(|tick| tick.debt.get()).sum();
    assert_eq!(
        debt,
        (0..20).map(|i| (1_000 + 25 * i) * 1_000_000).sum::<u128>()
    );
}
