//! `breakwaterctl deploy`: a market from its description onto a chain.

use crate::on_node::{self, NodeArgs, SignerArgs};
use crate::{
    failure::Failure,
    output::{complain, print, print_json},
};
use breakwater_operator::{
    config::MarketConfig,
    decimal,
    deploy::{self, DeployError, Summary},
    record::Record,
};
use serde_json::json;
use std::{fs, path::PathBuf};

/// Decimals of the contracts node's native token.
const NATIVE_DECIMALS: u8 = 12;

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

    /// Send nothing; check what is recorded against the chain, and tell what would be done
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
        let steps = on_node::block_on(async {
            let mut node = arguments.node.connect().await?;
            Ok(deploy::plan(&mut node, &signer, &config, found).await?)
        })?;
        return show_plan(arguments, &steps);
    }
    let (record, summary) = on_node::block_on(async {
        let mut node = arguments.node.connect().await?;
        let keep = &mut |record: &Record| record.write(&file);
        Ok(deploy::deploy(&mut node, &signer, &config, found, keep, &mut progress).await?)
    })?;
    let outcome = match summary.steps.is_empty() {
        true => "is deployed already, as described",
        false => "is deployed",
    };
    show(
        arguments,
        &format!("{outcome}: {}", file.display()),
        &summary,
        Some(&record),
    )
}

fn show_plan(arguments: &DeployArgs, steps: &[String]) -> Result<(), Failure> {
    if arguments.json {
        return print_json(&json!({ "would_do": steps }));
    }
    let mut text = String::new();
    for step in steps {
        text.push_str(&format!("{step}\n"));
    }
    text.push_str(&match steps.len() {
        0 => "the market is deployed already, as described\n".to_owned(),
        count => format!("{count} steps would be done; nothing was sent\n"),
    });
    print(&text)
}

fn show(
    arguments: &DeployArgs,
    outcome: &str,
    summary: &Summary,
    record: Option<&Record>,
) -> Result<(), Failure> {
    let deposits = u128::try_from(summary.deposits).unwrap_or(0);
    if arguments.json {
        let steps: Vec<_> = summary
            .steps
            .iter()
            .map(|step| {
                json!({
                    "step": step.name,
                    "fee": step.fee.to_string(),
                    "storage_deposit": step.deposit.to_string(),
                })
            })
            .collect();
        let result = json!({
            "steps": steps,
            "fees": summary.fees.to_string(),
            "storage_deposits": summary.deposits.to_string(),
            "deployment": record,
        });
        return print_json(&result);
    }
    let native = |units| decimal::show(units, NATIVE_DECIMALS);
    let mut text = String::new();
    for step in &summary.steps {
        let deposit = u128::try_from(step.deposit).unwrap_or(0);
        let (fee, deposit) = (native(step.fee), native(deposit));
        text.push_str(&format!(
            "{:<32} fee {fee:>16}  deposit {deposit:>16}\n",
            step.name
        ));
    }
    text.push_str(&format!(
        "the market {outcome}\n{} steps, fees {} and storage deposits {} of the native token ({NATIVE_DECIMALS} decimals)\n",
        summary.steps.len(),
        native(summary.fees),
        native(deposits),
    ));
    print(&text)
}
