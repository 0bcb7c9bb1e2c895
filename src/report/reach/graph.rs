//! A matrix as a graph, for Graphviz and for Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::ports::{self, Level};
use super::{Scene, names};
use crate::reach::matrix::Matrix;
use crate::report::untrusted::line;

/// Longest label of an arrow.
const MAX_LABEL: usize = 60;

/// The nodes by cluster, each with its number, and the arrows.
struct Graph {
    clusters: BTreeMap<String, Vec<(usize, String)>>,
    arrows: Vec<(usize, usize, String, Level)>,
}

impl Graph {
    fn new(matrix: &Matrix, scene: &Scene<'_>) -> Self {
        let mut nodes: BTreeMap<String, usize> = BTreeMap::new();
        let mut arrows = Vec::new();
        for row in matrix.rows.iter().filter(|row| !row.opening.is_closed()) {
            let open: String =
                ports::text(&row.opening, scene.mesh).chars().take(MAX_LABEL).collect();
            let level = Level::of(&row.opening);
            let (sources, targets) = (names(&row.from, matrix), names(&row.to, matrix));
            for target in &targets {
                for source in &sources {
                    let mut node = |name: &String| {
                        let next = nodes.len();
                        *nodes.entry(name.clone()).or_insert(next)
                    };
                    arrows.push((node(source), node(target), open.clone(), level));
                }
            }
        }
        let mut clusters: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
        for (name, number) in nodes {
            let (shown, cluster) = match name.rsplit_once('@') {
                Some((shown, cluster)) if cluster != "*" => (shown.to_owned(), cluster.to_owned()),
                _ => (name, String::new()),
            };
            clusters.entry(cluster).or_default().push((number, shown));
        }
        Self { clusters, arrows }
    }
}

/// Writes a matrix for Graphviz.
pub fn dot(matrix: &Matrix, scene: &Scene<'_>) -> String {
    let graph = Graph::new(matrix, scene);
    let mut text = "digraph reach {\n  rankdir=LR\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n  edge [fontname=\"sans-serif\", fontsize=10]\n".to_owned();
    let mut add =
        |shown: String| writeln!(text, "{shown}").expect("internal error: text takes text");
    for (at, (cluster, nodes)) in graph.clusters.iter().enumerate() {
        let inside = !cluster.is_empty();
        if inside {
            add(format!("  subgraph cluster_{at} {{\n    label={}", quoted(cluster)));
        }
        for (number, name) in nodes {
            add(format!("    n{number} [label={}]", quoted(name)));
        }
        if inside {
            add("  }".to_owned());
        }
    }
    for (source, target, open, level) in &graph.arrows {
        let style = match level {
            Level::Everything => ", color=\"#b45309\", fontcolor=\"#b45309\"",
            Level::Limited => ", style=dashed",
            Level::Ports | Level::Closed => "",
        };
        add(format!("  n{source} -> n{target} [label={}{style}]", quoted(open)));
    }
    text + "}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", line(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Writes a matrix for Mermaid.
pub fn mermaid(matrix: &Matrix, scene: &Scene<'_>) -> String {
    let graph = Graph::new(matrix, scene);
    let mut text = "flowchart LR\n".to_owned();
    let mut add =
        |shown: String| writeln!(text, "{shown}").expect("internal error: text takes text");
    for (at, (cluster, nodes)) in graph.clusters.iter().enumerate() {
        let inside = !cluster.is_empty();
        if inside {
            add(format!("  subgraph c{at}[\"{}\"]", entities(cluster)));
        }
        for (number, name) in nodes {
            add(format!("    n{number}[\"{}\"]", entities(name)));
        }
        if inside {
            add("  end".to_owned());
        }
    }
    for (source, target, open, level) in &graph.arrows {
        let arrow = if *level == Level::Limited { "-.->" } else { "-->" };
        add(format!("  n{source} {arrow}|\"{}\"| n{target}", entities(open)));
    }
    text
}

/// Text as Mermaid takes it in quotes: what means something to it or to HTML as a code.
fn entities(text: &str) -> String {
    let code = |c: char| match c {
        '"' | '#' | '<' | '>' | '&' | ';' | '`' | '|' | '[' | ']' | '{' | '}' => {
            format!("#{};", u32::from(c))
        }
        c => c.to_string(),
    };
    line(text).chars().map(code).collect()
}
