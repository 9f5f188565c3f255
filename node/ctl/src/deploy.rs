//! `breakwaterctl deploy`: a market from its description onto a chain.

use crate::failure::Failure;
use crate::on_node::{self, NodeArgs, SignerArgs};
use breakwater_chain::Gas;
use breakwater_operator::{
    config::MarketConfig,
    cost::Summary,
    decimal,
    deploy::{self, DeployError},
    record::Record,
};
use breakwater_terminal::{complain, print, print_json};
use serde_json::{json, Value};
use std::{fs, path::PathBuf};

/// Deploy a market on a chain, or finish a deployment that broke off.
///
/// Uploads the released contracts, instantiates and wires them, and creates the market that the
/// file describes. Addresses go to a record, deployments/NAME.json, after every step. A second run
/// checks everything against the chain, does what is missing, and says what differs.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// Description of the market; examples/market.toml explains every parameter
    #[arg(long, value_name = "FILE.toml")]
    config: PathBuf,

    #[command(flatten)]
    node: NodeArgs,

    #[command(flatten)]
    signer: SignerArgs,

    /// Where records of deployments are
    #[arg(long, value_name = "DIR", default_value = "deployments")]
    deployments: PathBuf,

    /// Send nothing; check what is recorded against the chain, and tell what would be done and what
    /// each step would cost
    #[arg(long)]
    dry_run: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

/// Deploys what `arguments` ask for.
pub(crate) fn deploy(arguments: &DeployArgs) -> Result<(), Failure> {
    let path = &arguments.config;
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let config = MarketConfig::read(&text).map_err(|reason| Failure::Market {
        path: path.clone(),
        reason,
    })?;
    let mut progress = |step: &str| {
        if !arguments.quiet {
            complain(&format!("{step} ..."));
        }
    };
    let signer = arguments.signer.signer()?;
    let file = Record::path(&arguments.deployments, &config.name);
    let found = Record::read(&file).map_err(DeployError::from)?;
    if arguments.dry_run {
        let (planned, decimals) = on_node::block_on(async {
            let mut node = arguments.node.connect().await?;
            let planned = deploy::plan(&mut node, &signer, &config, found).await?;
            Ok((planned, node.native_decimals()))
        })?;
        let outcome = match planned.steps.is_empty() {
            true => "is deployed already, as described",
            false => "would be deployed; nothing was sent",
        };
        return show(arguments, outcome, &planned, decimals, None);
    }
    let (record, summary, decimals) = on_node::block_on(async {
        let mut node = arguments.node.connect().await?;
        let keep = &mut |record: &Record| record.write(&file);
        let deployed = deploy::deploy(&mut node, &signer, &config, found, keep, &mut progress);
        let (record, summary) = deployed.await?;
        Ok((record, summary, node.native_decimals()))
    })?;
    let outcome = match summary.steps.is_empty() {
        true => "is deployed already, as described",
        false => "is deployed",
    };
    let outcome = format!("{outcome}: {}", file.display());
    show(arguments, &outcome, &summary, decimals, Some(&record))
}

/// Steps done or, without a record, planned.
fn show(
    arguments: &DeployArgs,
    outcome: &str,
    summary: &Summary,
    decimals: u8,
    record: Option<&Record>,
) -> Result<(), Failure> {
    if arguments.json {
        return print_json(&as_json(summary, decimals, record)).map_err(Failure::Stdout);
    }
    let mut text = String::new();
    if !summary.steps.is_empty() {
        text.push_str(&line(["step", "weight ms", "proof kB", "fee", "deposit"]));
    }
    let native = |units: u128| native(units, decimals);
    let cost = |name: &str, gas: Gas, fee, deposit| {
        let deposit = native(u128::try_from(deposit).unwrap_or(0));
        let time = decimal::show((gas.ref_time / 10_000_000).into(), 2);
        let proof = decimal::show((gas.proof_size / 100).into(), 1);
        line([name, &time, &proof, &native(fee), &deposit])
    };
    for step in &summary.steps {
        text.push_str(&cost(&step.name, step.gas, step.fee, step.deposit));
    }
    if !summary.steps.is_empty() {
        let (gas, name) = (summary.gas(), format!("{} steps", summary.steps.len()));
        text.push_str(&cost(&name, gas, summary.fees(), summary.deposits()));
        let most = match record {
            Some(_) => "",
            None => "; fees are the most that they can be",
        };
        text.push_str(&format!(
            "fees and storage deposits in the native token of {decimals} decimals{most}\n"
        ));
    }
    text.push_str(&format!("the market {outcome}\n"));
    print(&text).map_err(Failure::Stdout)
}

/// Native tokens, rounded up to six decimals: those are enough to see.
fn native(units: u128, decimals: u8) -> String {
    let hidden = decimals.saturating_sub(6);
    let shown = units.div_ceil(10u128.saturating_pow(hidden.into()));
    decimal::show(shown, decimals - hidden)
}

fn line(columns: [&str; 5]) -> String {
    let [name, time, proof, fee, deposit] = columns;
    let name = match name.char_indices().nth(35) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    };
    format!("{name:<36} {time:>10} {proof:>9} {fee:>11} {deposit:>12}\n")
}

/// Native tokens to the last unit; what is given back is negative.
fn exact(units: i128, decimals: u8) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let shown = decimal::show(units.unsigned_abs(), decimals);
    format!("{sign}{shown}")
}

fn as_json(summary: &Summary, decimals: u8, record: Option<&Record>) -> Value {
    let fee = |units| decimal::show(units, decimals);
    let gas = |gas: Gas| json!({ "ref_time": gas.ref_time, "proof_size": gas.proof_size });
    let steps = summary.steps.iter().map(|step| {
        json!({
            "step": step.name,
            "weight": gas(step.gas),
            "fee": fee(step.fee),
            "storage_deposit": exact(step.deposit, decimals),
        })
    });
    let name = match record {
        Some(_) => "steps",
        None => "would_do",
    };
    json!({
        name: steps.collect::<Vec<_>>(),
        "weight": gas(summary.gas()),
        "fees": fee(summary.fees()),
        "storage_deposits": exact(summary.deposits(), decimals),
        "deployment": record,
    })
}
