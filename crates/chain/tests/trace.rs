//! What a trace tells of a call.

mod probe;

use breakwater_chain::Chain;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use probe::{setup, Probe};

#[test]
fn a_trace_counts_what_a_call_does_and_keeps_nothing() {
    let (mut chain, probe, mut contract, alice) = setup();
    let root = chain.state_root();
    let trace = chain
        .trace(alice, probe, contract.call_mut().set(7))
        .expect("succeeds");
    assert_eq!(chain.state_root(), root);
    assert_eq!(trace.contracts, [probe]);
    assert_eq!(trace.calls_of("set_storage"), 1, "{trace:?}");
    assert_eq!(trace.calls_of("deposit_event"), 1, "{trace:?}");
    assert_eq!(trace.calls_of("no_such_function"), 0);
    let call = block_on(chain.call(&alice, probe, contract.call_mut().set(7)));
    assert_eq!(trace.gas, call.expect("succeeds").gas_consumed);

    let refused = chain.trace(alice, probe, contract.call_mut().refuse(7));
    assert_eq!(refused, None);
}
