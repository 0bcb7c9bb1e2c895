//! `landbridge cidr free`.

use std::fmt::Write as _;

use ipnet::IpNet;

use super::super::context::Context;
use super::super::error::Error;
use super::prefix;
use crate::address::Range;
use crate::address::allocate::free;
use crate::address::plan::Plan;

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

/// The lowest free ranges; an error where there is none.
pub(super) fn lowest(
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
