//! `landbridge cidr free` and `landbridge cidr suggest`.

use std::fmt::Write as _;

use ipnet::IpNet;

use super::super::context::Context;
use super::super::error::Error;
use super::prefix;
use crate::address::Range;
use crate::address::allocate::free;
use crate::address::plan::Plan;

/// What no suggestion may meet although no range of a plan says so: Docker's default bridge, and
/// the Services of a cluster that was installed with kubeadm's defaults.
const AVOID: [&str; 2] = ["172.17.0.0/16", "10.96.0.0/12"];

#[derive(Debug, clap::Args)]
pub(super) struct Free {
    /// Where to look
    #[arg(long = "in", value_name = "CIDR", value_parser = prefix)]
    space: IpNet,
    /// The size of the range, as a prefix length
    #[arg(long, value_name = "LENGTH")]
    prefix: u8,
    /// How many to print
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,
}

#[derive(Debug, clap::Args)]
pub(super) struct Suggest {
    /// Where to look for pods
    #[arg(long, value_name = "CIDR", default_value = "100.64.0.0/10", value_parser = prefix)]
    pods_in: IpNet,
    /// The size of the pods' range
    #[arg(long, value_name = "LENGTH", default_value_t = 16)]
    pods: u8,
    /// Where to look for Services and nodes
    #[arg(long = "in", value_name = "CIDR", default_value = "10.0.0.0/8", value_parser = prefix)]
    space: IpNet,
    /// The size of the Services' range
    #[arg(long, value_name = "LENGTH", default_value_t = 16)]
    services: u8,
    /// The size of the nodes' range
    #[arg(long, value_name = "LENGTH", default_value_t = 20)]
    nodes: u8,
}

impl Free {
    pub(super) fn run(&self, plan: &Plan, context: &mut Context) -> Result<(), Error> {
        let found = lowest(plan, &[], self.space, self.prefix, self.count.into())?;
        let mut text = String::new();
        for net in found {
            writeln!(text, "{net}").expect("internal error: text takes text");
        }
        context.print(text)
    }
}

impl Suggest {
    /// Prints the keys of a Cluster, to be pasted.
    pub(super) fn run(&self, plan: &Plan, context: &mut Context) -> Result<(), Error> {
        let mut taken: Vec<Range> = avoided();
        let mut text = String::new();
        for (key, space, length) in [
            ("nodeCIDRs", self.space, self.nodes),
            ("podCIDRs", self.pods_in, self.pods),
            ("serviceCIDRs", self.space, self.services),
        ] {
            let net = lowest(plan, &taken, space, length, 1)?[0];
            taken.push(net.into());
            writeln!(text, "{key}: [{net}]").expect("internal error: text takes text");
        }
        context.print(text)
    }
}

fn avoided() -> Vec<Range> {
    let nets = AVOID.iter().map(|net| net.parse::<IpNet>());
    nets.map(|net| net.expect("internal error: a constant prefix").into()).collect()
}

/// The lowest free ranges; an error where there is none.
fn lowest(
    plan: &Plan,
    taken: &[Range],
    space: IpNet,
    length: u8,
    most: usize,
) -> Result<Vec<IpNet>, Error> {
    if length < space.prefix_len() || length > space.max_prefix_len() {
        let message = format!("a /{length} does not fit into {space}");
        let (least, most) = (space.prefix_len(), space.max_prefix_len());
        return Err(Error::new(message).help(format!("use a prefix length from {least} to {most}")));
    }
    let used: Vec<Range> =
        plan.entries.iter().map(|entry| entry.range).chain(taken.iter().copied()).collect();
    let found = free(space.into(), &used, length, most);
    if found.is_empty() {
        let message = format!("no /{length} is free in {space}");
        return Err(Error::new(message).help("look in another range, or for a smaller one"));
    }
    Ok(found)
}
