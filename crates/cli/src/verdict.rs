//! Whether an outcome shows that something is wrong with the contracts.

use crate::{
    output::plain,
    report::format::{count, counted},
};
use breakwater_sim::outcome::DemoOutcome;

/// What is wrong, or `None`. The HTML report and the JSON have the details.
pub(crate) fn fault(outcome: &DemoOutcome) -> Option<String> {
    let conservation = &outcome.conservation;
    let healthy = outcome.positions.healthy_but_liquidated;
    if let Some(first) = conservation.violations.first() {
        let failed = counted(
            u64::try_from(conservation.violations.len()).unwrap_or(u64::MAX),
            "violation",
            "violations",
        );
        return Some(format!(
            "CONSERVATION VIOLATED: tokens are not accounted for, {} in {} checks; \
             the first is in block {}: {}: {}",
            plain(&failed),
            plain(&count(conservation.checks)),
            first.block,
            first.rule,
            first.detail,
        ));
    }
    if !conservation.holds {
        return Some(
            "CONSERVATION NOT SHOWN: the books were not compared with balances".to_owned(),
        );
    }
    (healthy > 0).then(|| {
        format!(
            "HEALTHY POSITIONS LIQUIDATED: {}",
            plain(&counted(healthy, "position was", "positions were"))
                + " in a batch without being due"
        )
    })
}
