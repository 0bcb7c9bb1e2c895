//! What an upgrade does, for people, programs and pull requests.

pub mod human;
pub mod json;
pub mod markdown;

mod groups;

use std::io;

use super::Look;
use super::untrusted::line;
use crate::policy::Opening;
use crate::policy::opening::OpenPorts;
use crate::source::{SourceMap, Span};
use crate::topology::ClusterId;
use crate::upgrade::Rehearsal;
use crate::upgrade::flows::{FlowChange, Side};

/// How a rehearsal is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// For programs: `landbridge schema upgrade` describes it
    Json,
    /// For a pull request
    Markdown,
}

impl Format {
    /// Writes a rehearsal.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(
        self,
        rehearsal: &Rehearsal,
        sources: &SourceMap,
        look: Look,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let shown = Shown { rehearsal, sources };
        match self {
            Self::Human => human::write(&shown, look, out),
            Self::Json => json::write(&shown, out),
            Self::Markdown => markdown::write(&shown, look, out),
        }
    }
}

/// A rehearsal with the texts that it points into.
pub(super) struct Shown<'a> {
    rehearsal: &'a Rehearsal,
    sources: &'a SourceMap,
}

/// Most clusters that one line names.
const MAX_CLUSTERS: usize = 3;

impl Shown<'_> {
    fn cluster(&self, id: ClusterId) -> String {
        line(&self.rehearsal.clusters[id.index()]).into_owned()
    }

    /// `euw1, use1 and 3 more`.
    fn clusters(&self, ids: &[ClusterId]) -> String {
        let names: Vec<_> = ids.iter().take(MAX_CLUSTERS).map(|id| self.cluster(*id)).collect();
        match ids.len().saturating_sub(MAX_CLUSTERS) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// `payments/web@use1`.
    fn side(&self, side: &Side) -> String {
        let name = line(&side.name);
        match side.cluster {
            Some(id) => format!("{name}@{}", self.cluster(id)),
            None => name.into_owned(),
        }
    }

    /// `policies/web.yaml:12:3`.
    fn place(&self, span: Span) -> String {
        line(&self.sources.location(span)).into_owned()
    }

    /// What a flow does, as words and ports: `closes` and `TCP/8080`.
    fn events(&self, flow: &FlowChange) -> Vec<(&'static str, String)> {
        let all = [
            ("opens", &flow.opens),
            ("closes", &flow.closes),
            ("opens meanwhile", &flow.meanwhile.0),
            ("closes meanwhile", &flow.meanwhile.1),
        ];
        let some = all.into_iter().filter(|(_, opening)| !opening.is_closed());
        some.map(|(word, opening)| (word, self.ports(opening))).collect()
    }

    /// `TCP/8080, UDP/53`; a port whose number nobody says by its name.
    fn ports(&self, opening: &Opening) -> String {
        if opening.is_everything() {
            return opening.to_string();
        }
        let one = |ports: &OpenPorts| match self.port_name(ports) {
            None => ports.to_string(),
            Some(name) => {
                let limited = if ports.limits.is_none() { "" } else { " (L7)" };
                format!("{}/{}{limited}", ports.protocol, line(name))
            }
        };
        opening.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The name of a port whose number nobody says.
    fn port_name(&self, ports: &OpenPorts) -> Option<&str> {
        let known = self.rehearsal.unnumbered.get(&ports.first)?;
        (ports.first == ports.last && ports.protocol.has_ports()).then_some(known)
    }

    /// The outcome in a line.
    fn summary(&self) -> String {
        let counts = self.rehearsal.counts();
        let unread = match counts.unread {
            0 => String::new(),
            1 => "; 1 thing could not be looked at".to_owned(),
            many => format!("; {many} things could not be looked at"),
        };
        if (counts.opens, counts.closes, counts.breaks) == (0, 0, 0) {
            return format!("nothing opens, closes or breaks{unread}");
        }
        let flows = |count: usize, verb: &str| match count {
            0 => format!("no flow {verb}s"),
            1 => format!("1 flow {verb}s"),
            many => format!("{many} flows {verb}"),
        };
        let breaks = match counts.breaks {
            0 => "nothing breaks".to_owned(),
            1 => "1 thing breaks".to_owned(),
            many => format!("{many} things break"),
        };
        let (opens, closes) = (flows(counts.opens, "open"), flows(counts.closes, "close"));
        format!("{opens}, {closes}, {breaks}{unread}")
    }
}
