//! A matrix as a picture: sources from top to bottom, targets from left to right.
//!
//! Where there are too many workloads a cell stands for two namespaces, or two clusters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Scene;
use super::ports::{self, Level};
use crate::reach::matrix::{Matrix, Parties, Row};
use crate::report::untrusted::line;

/// Most units on one side.
const MOST: usize = 48;
/// The size of a cell.
const CELL: usize = 22;
/// The space between clusters.
const GAP: usize = 10;
/// The width of a letter.
const LETTER: usize = 7;
/// Longest label, in letters.
const LONGEST: usize = 36;
/// The space around everything.
const MARGIN: usize = 16;
/// The height of the legend.
const LEGEND: usize = 40;

/// A row or a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    /// The cluster; behind all of them for those outside.
    cluster: String,
    name: String,
}

/// How much one unit stands for.
#[derive(Clone, Copy)]
enum Grain {
    Workload,
    Namespace,
    Cluster,
}

impl Grain {
    fn unit(self, matrix: &Matrix, member: usize) -> Unit {
        let known = matrix.roster.get(member);
        let name = match self {
            Self::Workload => known.name.clone(),
            Self::Namespace => format!("{}/", known.namespace),
            Self::Cluster => "all".to_owned(),
        };
        Unit { cluster: known.cluster.clone(), name }
    }

    fn units(self, matrix: &Matrix, parties: &Parties) -> BTreeSet<Unit> {
        match parties {
            Parties::Members(members) => {
                members.iter().map(|member| self.unit(matrix, *member)).collect()
            }
            Parties::Outside(names) => {
                let outside =
                    |name: &String| Unit { cluster: OUTSIDE.to_owned(), name: name.clone() };
                names.iter().map(outside).collect()
            }
        }
    }
}

/// The group of those outside, which sorts last.
const OUTSIDE: &str = "\u{10ffff}";

/// The sides of a picture, and what is in its cells.
struct Grid {
    sources: BTreeSet<Unit>,
    targets: BTreeSet<Unit>,
    cells: BTreeMap<(Unit, Unit), (Level, String)>,
}

impl Grid {
    fn new(matrix: &Matrix, grain: Grain, scene: &Scene<'_>) -> Option<Self> {
        let side = |all: &[usize]| -> BTreeSet<Unit> {
            all.iter().map(|member| grain.unit(matrix, *member)).collect()
        };
        let (mut sources, mut targets) = (side(&matrix.sources), side(&matrix.targets));
        if sources.len().max(targets.len()) > MOST {
            return None;
        }
        let mut cells: BTreeMap<(Unit, Unit), (Level, String)> = BTreeMap::new();
        // What is about single workloads comes last and overrules.
        let (general, single): (Vec<&Row>, Vec<&Row>) =
            matrix.rows.iter().partition(|row| row.general);
        for row in general.into_iter().chain(single) {
            let (from, to) = (grain.units(matrix, &row.from), grain.units(matrix, &row.to));
            let known = (Level::of(&row.opening), ports::text(&row.opening, scene.mesh));
            for source in &from {
                for target in &to {
                    let key = (source.clone(), target.clone());
                    match (grain, cells.get_mut(&key)) {
                        (Grain::Workload, _) | (_, None) => {
                            cells.insert(key, known.clone());
                        }
                        (_, Some(other)) if other.1 != known.1 => {
                            *other = (other.0.max(known.0), "not all alike".to_owned());
                        }
                        (_, Some(_)) => {}
                    }
                }
            }
            sources.extend(from);
            targets.extend(to);
        }
        Some(Self { sources, targets, cells })
    }
}

/// Draws a matrix; nothing where even its clusters are too many.
pub fn matrix(matrix: &Matrix, scene: &Scene<'_>) -> Option<String> {
    let grains = [Grain::Workload, Grain::Namespace, Grain::Cluster];
    let grid = grains.into_iter().find_map(|grain| Grid::new(matrix, grain, scene))?;
    Some(draw(&grid))
}

/// Where units begin, where clusters do and end, and how long all of it is.
type Places<'u> = (BTreeMap<&'u Unit, usize>, Vec<(&'u str, usize, usize)>, usize);

/// Where each unit of a side begins, where each cluster does, and how long it all is. A cluster
/// takes at least what `least` says of its name.
fn places(units: &BTreeSet<Unit>, least: impl Fn(&str) -> usize) -> Places<'_> {
    let (mut places, mut clusters) = (BTreeMap::new(), Vec::<(&str, usize, usize)>::new());
    let mut at = 0;
    for unit in units {
        match clusters.last_mut() {
            Some((cluster, _, end)) if *cluster == unit.cluster => *end = at + CELL,
            last => {
                if let Some((cluster, from, _)) = last {
                    at = at.max(*from + least(cluster)) + GAP;
                }
                clusters.push((&unit.cluster, at, at + CELL));
            }
        }
        places.insert(unit, at);
        at += CELL;
    }
    (places, clusters, at)
}

fn draw(grid: &Grid) -> String {
    let (rows, row_clusters, height) = places(&grid.sources, |_| 0);
    let (columns, column_clusters, width) = places(&grid.targets, wide);
    let longest = |units: &BTreeSet<Unit>| {
        units.iter().map(|unit| label(&unit.name).chars().count()).max().unwrap_or(0) * LETTER
    };
    let side = row_clusters.iter().map(|(name, ..)| wide(name)).max().unwrap_or(0) + 2 * GAP;
    let left = MARGIN + side + longest(&grid.sources) + GAP;
    // Labels of columns lean to the right by 45 degrees.
    let slope = longest(&grid.targets) * 5 / 7 + GAP;
    let top = MARGIN + 2 * GAP + 4 + slope;
    let (full_width, full_height) =
        ((left + width + slope).max(left + 380) + MARGIN, top + height + LEGEND + MARGIN);
    let mut picture = Picture { text: head(full_width, full_height) };
    for (name, from, to) in column_clusters {
        let (from, to) = (left + from + slope, left + to + slope);
        picture.text(from, MARGIN + GAP, "start", "c", &title(name));
        let y = MARGIN + 2 * GAP;
        picture.line(from, y, to, y);
    }
    for (name, from, to) in row_clusters {
        let (from, to) = (top + from, top + to);
        picture.text(MARGIN, usize::midpoint(from, to) + 4, "start", "c", &title(name));
        picture.line(MARGIN + side - GAP, from, MARGIN + side - GAP, to);
    }
    picture.text(MARGIN, MARGIN + GAP, "start", "l", "from ↓  to →");
    for (unit, at) in &rows {
        picture.text(left - GAP / 2, top + at + CELL - 7, "end", "l", &label(&unit.name));
    }
    for (unit, at) in &columns {
        picture.leaning(left + at + CELL / 2, top - GAP / 2, &label(&unit.name));
    }
    for (source, y) in &rows {
        for (target, x) in &columns {
            if source.cluster == OUTSIDE && target.cluster == OUTSIDE {
                continue;
            }
            let known = grid.cells.get(&((*source).clone(), (*target).clone()));
            let (level, open) =
                known.map_or((Level::Closed, "nothing"), |(level, open)| (*level, open));
            let title = format!("{} → {}: {open}", full(source), full(target));
            picture.cell(left + x, top + y, level, &title);
        }
    }
    picture.legend(left, top + height + GAP + 6);
    picture.text + "</svg>\n"
}

/// The width of a cluster's title, which is bold.
fn wide(cluster: &str) -> usize {
    title(cluster).chars().count() * (LETTER + 1)
}

fn title(cluster: &str) -> String {
    label(if cluster == OUTSIDE { "outside" } else { cluster })
}

fn full(unit: &Unit) -> String {
    if unit.cluster == OUTSIDE {
        unit.name.clone()
    } else {
        format!("{}@{}", unit.name, unit.cluster)
    }
}

fn label(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain("…".chars()).collect()
}

/// Text of XML.
fn xml(text: &str) -> String {
    let text = line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

fn head(width: usize, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n\
         <title>Who may reach whom</title>\n\
         <style>text{{font:12px system-ui,sans-serif;fill:#1f2937}}.c{{font-weight:600}}\
         .l{{fill:#374151}}.n{{fill:#f1f3f5}}.p{{fill:#2563eb}}.h{{fill:url(#h)}}.e{{fill:#f59e0b}}\
         line{{stroke:#9ca3af;stroke-width:1.5}}</style>\n\
         <defs><pattern id=\"h\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#93b4f5\"/>\
         <rect width=\"3\" height=\"6\" fill=\"#2563eb\"/></pattern></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    )
}

struct Picture {
    text: String,
}

impl Picture {
    fn add(&mut self, element: &str) {
        writeln!(self.text, "{element}").expect("internal error: text takes text");
    }

    fn text(&mut self, x: usize, y: usize, anchor: &str, class: &str, text: &str) {
        let text = xml(text);
        self.add(&format!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        ));
    }

    fn leaning(&mut self, x: usize, y: usize, text: &str) {
        let text = xml(text);
        self.add(&format!(
            "<text transform=\"translate({x},{y}) rotate(-45)\" class=\"l\">{text}</text>"
        ));
    }

    fn line(&mut self, from_x: usize, from_y: usize, to_x: usize, to_y: usize) {
        self.add(&format!("<line x1=\"{from_x}\" y1=\"{from_y}\" x2=\"{to_x}\" y2=\"{to_y}\"/>"));
    }

    fn cell(&mut self, x: usize, y: usize, level: Level, title: &str) {
        let (class, size) = (class(level), CELL - 2);
        let title = xml(title);
        self.add(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{size}\" height=\"{size}\" rx=\"3\" class=\"{class}\">\
             <title>{title}</title></rect>"
        ));
    }

    fn legend(&mut self, x: usize, y: usize) {
        let entries = [
            (Level::Closed, "nothing", 0),
            (Level::Limited, "ports, limited by L7", 80),
            (Level::Ports, "ports", 235),
            (Level::Everything, "every port", 300),
        ];
        for (level, name, offset) in entries {
            self.cell(x + offset, y, level, name);
            self.text(x + offset + CELL + 4, y + CELL - 7, "start", "l", name);
        }
    }
}

fn class(level: Level) -> &'static str {
    match level {
        Level::Closed => "n",
        Level::Limited => "h",
        Level::Ports => "p",
        Level::Everything => "e",
    }
}
