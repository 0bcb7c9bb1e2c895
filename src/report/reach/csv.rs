//! A matrix as comma-separated values (RFC 4180), one line for each pair of names.

use super::{Scene, names, ports};
use crate::reach::matrix::Matrix;

/// Writes a matrix.
pub fn matrix(matrix: &Matrix, scene: &Scene<'_>) -> String {
    let mut text = "from,to,ports,general\n".to_owned();
    for row in &matrix.rows {
        let open = ports::text(&row.opening, scene.mesh);
        let (sources, targets) = (names(&row.from, matrix), names(&row.to, matrix));
        for target in &targets {
            for source in &sources {
                let general = if row.general { "true" } else { "false" };
                let cells = [source.as_str(), target, &open, general].map(cell);
                text += &cells.join(",");
                text.push('\n');
            }
        }
    }
    text
}

/// A cell in quotes where it needs them. What a spreadsheet would take for a formula does not
/// begin one (OWASP, "CSV Injection").
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
