//! How answers are written.

use clap::ValueEnum;

/// How to write an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[value(alias = "human")]
    Table,
    /// For programs: `landbridge schema reach` describes it
    Json,
    /// For spreadsheets
    Csv,
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
    /// A picture
    Svg,
}
