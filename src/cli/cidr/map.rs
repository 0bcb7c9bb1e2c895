//! The picture of `landbridge cidr list --map`.

use ipnet::IpNet;

use super::list::{Row, table};
use super::owner;
use crate::address::Range;
use crate::address::allocate::gaps;
use crate::address::overlap::order;
use crate::address::plan::{Plan, Use};
use crate::topology::Topology;

/// What is drawn around ranges that lie in nothing else: the addresses for private use and those
/// between carriers and their customers (RFC 1918, 4193, 6598).
const BLOCKS: [&str; 5] =
    ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
/// The most cells of a bar.
const CELLS: u128 = 32;

/// A line of the picture.
struct Line {
    range: Range,
    used: &'static str,
    owner: String,
    depth: usize,
    /// What lies directly in it, in order.
    inside: Vec<Range>,
}

impl Line {
    fn row(self, bar: String) -> Row {
        let Self { range, used, owner, depth, .. } = self;
        Row { range: range.to_string(), used, owner, depth, bar }
    }
}

/// Every range with what lies in it and what is free, and for each that has something in it a
/// bar: `#` used, `+` used in part, `.` free.
pub(super) fn map(plan: &Plan, topology: &Topology) -> String {
    let mut lines = lines(plan, topology);
    let mut bars = Vec::with_capacity(lines.len());
    let mut free = Vec::new();
    for line in &lines {
        let gaps = if line.inside.is_empty() { Vec::new() } else { gaps(line.range, &line.inside) };
        bars.push(if line.inside.is_empty() { String::new() } else { bar(line.range, &gaps) });
        free.extend(gaps.into_iter().map(|range| (range, line.depth + 1)));
    }
    let free = free.into_iter().map(|(range, depth)| Line {
        range,
        used: "free",
        owner: String::new(),
        depth,
        inside: Vec::new(),
    });
    lines.extend(free);
    bars.resize(lines.len(), String::new());
    let mut shown: Vec<(Line, String)> = lines.into_iter().zip(bars).collect();
    // What is free begins where another range ends, so that nothing has its first address but
    // the ranges around it.
    shown.sort_by_key(|(line, _)| (order(&line.range), line.depth));
    let rows: Vec<_> = shown.into_iter().map(|(line, bar)| line.row(bar)).collect();
    table(&rows)
}

/// The plan and the blocks around it, in order, each as deep as ranges around it are open.
fn lines(plan: &Plan, topology: &Topology) -> Vec<Line> {
    let blocks = BLOCKS.map(|block| block.parse::<IpNet>().expect("internal error: a prefix"));
    let blocks = blocks.map(Range::from).into_iter().filter(|block| {
        let mut ranges = plan.entries.iter().map(|entry| &entry.range);
        ranges.any(|range| block.contains(range) && block != range)
    });
    let blocks = blocks.map(|range| (range, None, "private", String::new()));
    let entries = plan.entries.iter().map(|entry| {
        let used = Some((entry.used, entry.span));
        (entry.range, used, entry.used.name(), owner(plan, topology, entry))
    });
    let mut all: Vec<_> = blocks.chain(entries).collect();
    all.sort_by_key(|(range, used, ..)| (order(range), *used));
    let mut lines: Vec<Line> = Vec::with_capacity(all.len());
    let mut open: Vec<usize> = Vec::new();
    for (range, used, name, owner) in all {
        while open.last().is_some_and(|at| !lines[*at].range.contains(&range)) {
            open.pop();
        }
        // Of equal ranges the first has what lies in them.
        let same = open.last().is_some_and(|at| lines[*at].range == range);
        let depth = open.len() - usize::from(same);
        let reserved = used.is_some_and(|(used, _)| used == Use::Reserved);
        if !same {
            if let Some(around) = open.last() {
                lines[*around].inside.push(range);
            }
            // In what is reserved nothing is free.
            if !reserved {
                open.push(lines.len());
            }
        }
        lines.push(Line { range, used: name, owner, depth, inside: Vec::new() });
    }
    lines
}

/// How much of each part of a range is used.
fn bar(range: Range, free: &[Range]) -> String {
    let size = (range.last - range.first).saturating_add(1);
    let cells = CELLS.min(size);
    // Without the product, which may be too large.
    let edge = |cell: u128| range.first + (size / cells * cell + size % cells * cell / cells);
    let cell = |cell: u128| {
        let last = if cell + 1 == cells { range.last } else { edge(cell + 1) - 1 };
        let part = Range { first: edge(cell), last, ..range };
        match free.get(free.partition_point(|gap| gap.last < part.first)) {
            Some(gap) if gap.contains(&part) => '.',
            Some(gap) if gap.meets(&part) => '+',
            _ => '#',
        }
    };
    format!("[{}]", (0..cells).map(cell).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn range(text: &str) -> Range {
        text.parse::<IpNet>().unwrap().into()
    }

    #[test]
    fn a_bar_has_a_cell_for_each_part() {
        let used = [range("10.0.0.0/9"), range("10.255.0.0/16")];
        let whole = range("10.0.0.0/8");
        let expected = format!("[{}{}+]", "#".repeat(16), ".".repeat(15));
        assert_eq!(bar(whole, &gaps(whole, &used)), expected);
        let small = range("10.0.0.0/30");
        assert_eq!(bar(small, &gaps(small, &[range("10.0.0.1/32")])), "[.#..]");
        let all = range("8000::/1");
        assert_eq!(
            bar(all, &gaps(all, &[range("8000::/2")])),
            format!("[{}{}]", "#".repeat(16), ".".repeat(16))
        );
    }

    #[test]
    fn equal_ranges_stand_side_by_side() {
        let text = TWO_CLUSTERS.replacen("nodeCIDRs: [10.1.1.0/24]", "nodeCIDRs: [10.1.0.0/16]", 1);
        let topology = resolved(&text).0.unwrap();
        let picture = map(&Plan::of(&topology), &topology);
        let lines: Vec<_> = picture.lines().filter(|line| line.contains("10.1.0.0/16")).collect();
        let words: Vec<Vec<_>> =
            lines.iter().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            words,
            [["10.1.0.0/16", "nodes", "euw1"], ["10.1.0.0/16", "network", "eu-west-1/main"]]
        );
    }
}
