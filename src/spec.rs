//! What was written: every document of the language, decoded, each value with its place.
//!
//! Each kind's keys are declared once ([`object!`](crate::object)); the decoder, the JSON Schema
//! and the reference page come from that declaration. Names are not resolved here and defaults
//! are not applied: that is `topology`'s work.

pub mod allow;
pub mod application;
pub mod certificates;
pub mod cluster;
pub mod delivery;
pub mod dns;
pub mod flow;
mod folders;
pub mod gateway;
pub mod guard;
pub mod load;
pub mod mesh;
pub mod policy;
pub mod ports;
pub mod reference;
pub mod region;
pub mod role;
pub mod schema;
pub mod solver;
pub mod terraform;
pub mod value;
pub mod version_facts;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::Spanned;
use crate::system::Date;
use crate::yaml::Node;
use crate::yaml::fields::{Decode, Map, Present, nearest, quoted};
use crate::yaml::shape::Shape;
use crate::{declare_rules, object};
use value::{Label, RelativePath, Subdomain};

/// The only version of the language.
pub const API_VERSION: &str = "landbridge.dev/v1alpha1";

object! {
    /// What the platform team declares: mesh, regions, addresses, versions. There is one.
    pub struct TopologySpec {
        /// Further files of the language, as globs below the project.
        "include" => include: Vec<Spanned<RelativePath>>,
        /// Hand-written Kubernetes objects that are checked with the generated ones.
        "manifests" => manifests: Vec<delivery::Manifests>,
        /// Files with the team's own rules: documents of kind `Policy` and `VersionFacts`.
        "rules" => rules: Vec<Spanned<RelativePath>>,
        /// Built-in policies that are switched on, and settings of the team's own, by name.
        "policies" => policies: Map<policy::PolicyUse>,
        /// The folder into which compile writes; `rendered` unless said otherwise.
        "output" => output: Option<Spanned<RelativePath>>,
        /// The GitOps tool that applies the rendered files.
        "gitops" => gitops: Option<delivery::GitOps>,
        /// Ids, addresses and host names that Terraform made, read back.
        "terraform" => terraform: Vec<terraform::Terraform>,
        /// Exact versions for every cluster.
        "versions" => versions: Option<mesh::Versions>,
        /// Settings that are equal in every cluster of the mesh.
        "mesh" => mesh: Option<mesh::Mesh>,
        /// What every cluster inherits, written like a Cluster's spec.
        "clusterDefaults" => cluster_defaults: Option<cluster::ClusterSpec>,
        /// Regions, by name.
        "regions" => regions: Map<region::Region>,
        /// What joins networks.
        "interconnects" => interconnects: Vec<region::Interconnect>,
        /// Addresses that no cluster may use.
        "reserved" => reserved: Vec<region::Reserved>,
        /// Named peers outside the mesh, for flows.
        "externals" => externals: Map<region::External>,
        /// DNS.
        "dns" => dns: Option<dns::Dns>,
        /// Certificates for names outside the mesh.
        "certificates" => certificates: Option<certificates::Certificates>,
        /// Names by which users reach the regions, with what answers for them.
        "entrypoints" => entrypoints: Map<dns::Entrypoint>,
        /// Where requests from outside enter clusters, by the name of the Gateway.
        "gateways" => gateways: Map<gateway::Gateway>,
        /// What must hold over all clusters, whatever anyone declares.
        "guards" => guards: Map<guard::Guard>,
        /// Findings that are accepted.
        "allow" => allow: Vec<allow::Allow>,
        /// What drift does not report.
        "drift" => drift: Option<guard::Drift>,
    }

    /// The name of a document.
    pub struct Metadata {
        /// The name, unique among the documents of its kind.
        "name" => name: Spanned<Subdomain>,
    }

    /// The name of a cluster.
    pub struct ClusterMetadata {
        /// Cilium's cluster name, unique in the mesh.
        "name" => name: Spanned<Label>,
    }
}

/// A document with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    /// Its name.
    pub name: Spanned<String>,
    /// Its content; nothing where it could not be read.
    pub spec: Option<T>,
}

/// Everything that was written.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The topology.
    pub topology: Option<Named<TopologySpec>>,
    /// The clusters, sorted by name.
    pub clusters: Vec<Named<cluster::ClusterSpec>>,
    /// The mesh applications, sorted by name.
    pub applications: Vec<Named<application::ApplicationSpec>>,
    /// The capabilities, sorted by name.
    pub capabilities: Vec<Named<flow::CapabilitySpec>>,
    /// The hand-written objects of each entry of the topology's `manifests`.
    pub manifests: Vec<Vec<Manifest>>,
    /// What the team knows about versions, sorted by name.
    pub version_facts: Vec<Named<version_facts::VersionFactsSpec>>,
    /// The team's own policies, sorted by name.
    pub policies: Vec<Named<policy::PolicySpec>>,
    /// The day on which it is judged.
    pub today: Option<Date>,
}

/// A kind of document with the shape of its parts, for the schema and the reference page.
#[derive(Debug)]
pub struct Kind {
    /// The kind's name.
    pub name: &'static str,
    /// The shape of `metadata`.
    pub metadata: fn() -> Shape,
    /// The shape of `spec`.
    pub spec: fn() -> Shape,
}

/// The kinds of the language.
pub static KINDS: [Kind; 6] = [
    Kind { name: "Topology", metadata: Metadata::shape, spec: TopologySpec::shape },
    Kind { name: "Cluster", metadata: ClusterMetadata::shape, spec: cluster::ClusterSpec::shape },
    Kind {
        name: "MeshApplication",
        metadata: Metadata::shape,
        spec: application::ApplicationSpec::shape,
    },
    Kind { name: "Capability", metadata: Metadata::shape, spec: flow::CapabilitySpec::shape },
    Kind {
        name: "VersionFacts",
        metadata: Metadata::shape,
        spec: version_facts::VersionFactsSpec::shape,
    },
    Kind { name: "Policy", metadata: Metadata::shape, spec: policy::PolicySpec::shape },
];

object! {
    /// The frame of every document.
    struct Frame {
        /// Always `landbridge.dev/v1alpha1`.
        "apiVersion" => api_version: Spanned<String>,
        /// What the document is.
        "kind" => kind: Spanned<String>,
        /// Its name.
        "metadata" => metadata: Present,
        /// Its content.
        "spec" => spec: Present,
    }
}

/// A document with the parts that its kind decides about.
struct Document<'a> {
    frame: Frame,
    metadata: &'a Node,
    spec: &'a Node,
}

impl<'a> Document<'a> {
    fn open(node: &'a Node, found: &mut Diagnostics) -> Option<Self> {
        let frame = Frame::decode(node, found)?;
        Some(Self { frame, metadata: node.get("metadata")?, spec: node.get("spec")? })
    }
}

impl Spec {
    /// Decodes one document and keeps what can be read of it.
    pub fn add(&mut self, node: &Node, found: &mut Diagnostics) {
        let Some(document) = Document::open(node, found) else { return };
        let frame = &document.frame;
        if *frame.api_version != API_VERSION {
            let message = format!("`{}` is not a version of the language", *frame.api_version);
            let unknown = Diagnostic::new(&UNKNOWN_KIND, frame.api_version.span, message);
            found.push(unknown.help(format!(
                "write `{API_VERSION}`, or list Kubernetes objects under `spec.manifests`"
            )));
            return;
        }
        match frame.kind.as_str() {
            "Topology" => self.topology(&document, found),
            "Cluster" => {
                let name = ClusterMetadata::decode(document.metadata, found);
                let name = name.map(|metadata| metadata.name.map(|name| name.0));
                push(&mut self.clusters, name, &document, found);
            }
            "MeshApplication" => {
                let name = name(&document, found);
                push(&mut self.applications, name, &document, found);
            }
            "Capability" => {
                let name = name(&document, found);
                push(&mut self.capabilities, name, &document, found);
            }
            "VersionFacts" => {
                let name = name(&document, found);
                push(&mut self.version_facts, name, &document, found);
            }
            "Policy" => {
                let name = name(&document, found);
                push(&mut self.policies, name, &document, found);
            }
            kind => found.push(unknown_kind(kind, frame)),
        }
    }

    fn topology(&mut self, document: &Document<'_>, found: &mut Diagnostics) {
        let frame = &document.frame;
        let name = name(document, found);
        let spec = TopologySpec::decode(document.spec, found);
        if let Some(first) = &self.topology {
            let message = "there is a second topology";
            let twice = Diagnostic::new(&DUPLICATE_NAME, frame.kind.span, message);
            found.push(twice.related(first.name.span, "the first one").help("keep one of them"));
            return;
        }
        let name = name.unwrap_or_else(|| Spanned::new(String::new(), frame.kind.span));
        self.topology = Some(Named { name, spec });
    }

    /// Sorts the documents by name, so that nothing depends on the order of files.
    pub fn sort(&mut self) {
        self.clusters.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        self.applications.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        self.capabilities.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        self.version_facts.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        self.policies.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    }
}

fn name(document: &Document<'_>, found: &mut Diagnostics) -> Option<Spanned<String>> {
    let metadata = Metadata::decode(document.metadata, found)?;
    Some(metadata.name.map(|name| name.0))
}

fn push<T: Decode>(
    list: &mut Vec<Named<T>>,
    name: Option<Spanned<String>>,
    document: &Document<'_>,
    found: &mut Diagnostics,
) {
    let spec = T::decode(document.spec, found);
    // Names are compared once, when every file has been read.
    list.extend(name.map(|name| Named { name, spec }));
}

/// A finding for a name that is declared twice.
pub fn duplicate(what: &str, again: &Spanned<String>, first: &Spanned<String>) -> Diagnostic {
    let message = format!("the {what} `{}` is declared twice", again.value);
    Diagnostic::new(&DUPLICATE_NAME, again.span, message)
        .label("declared again here")
        .related(first.span, "first declared here")
        .help(format!("give each {what} its own name"))
}

fn unknown_kind(kind: &str, frame: &Frame) -> Diagnostic {
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    let message = format!("`{kind}` is not a kind of the language");
    let unknown = Diagnostic::new(&UNKNOWN_KIND, frame.kind.span, message);
    match nearest(kind, names.iter().copied()) {
        Some(near) => unknown.help(format!("write `{near}` if that is meant")),
        None => unknown.help(format!("the kinds are {}", quoted(&names))),
    }
}

declare_rules! {
    /// ## What it does
    /// Reports a document whose `apiVersion` or `kind` the language does not know.
    ///
    /// ## Why it matters
    /// Nothing of such a document is read. Kubernetes objects belong under `spec.manifests`.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: landbridge.dev/v1alpha1
    /// kind: Clusters
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// apiVersion: landbridge.dev/v1alpha1
    /// kind: Cluster
    /// ```
    pub static UNKNOWN_KIND = { code: "LB0008", name: "unknown-kind", summary: "a document that the language does not know", severity: Error };

    /// ## What it does
    /// Reports two documents of one kind, two workloads, services or flows of one namespace, that
    /// share a name.
    ///
    /// ## Why it matters
    /// A name is a folder, an object or a reference: with two of them it is not known which is
    /// meant, and one would overwrite the other.
    ///
    /// ## Example
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: use1}
    /// ---
    /// kind: Cluster
    /// metadata: {name: use1}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: use1}
    /// ---
    /// kind: Cluster
    /// metadata: {name: use2}
    /// ```
    pub static DUPLICATE_NAME = { code: "LB0009", name: "duplicate-name", summary: "two things that share a name", severity: Error };

    /// ## What it does
    /// Reports an `include`, a manifest or a ConfigMap that cannot be read: it does not exist, it
    /// leads out of the project through `..` or a symbolic link, it is a pipe or a device, it is
    /// larger than 32 MiB, or a glob that matches no file.
    ///
    /// ## Why it matters
    /// What is not read is not checked. A repository must not make a shared plugin read files of
    /// the machine that it runs on.
    ///
    /// ## Example
    /// ```yaml
    /// include: ["../other-team/*.yaml"]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// include: ["other-team/*.yaml"]
    /// ```
    pub static UNREADABLE_FILE = { code: "LB0010", name: "unreadable-file", summary: "a file that is named and cannot be read", severity: Error };

    /// ## What it does
    /// Reports a value of the topology that Terraform's output contradicts, where `spec.terraform`
    /// maps that output to its place.
    ///
    /// ## Why it matters
    /// One of the two is out of date: either the network was made anew and the topology still has
    /// the old id, or somebody wrote down what was never applied. What is compiled would point at
    /// something that is not there.
    ///
    /// ## Example
    /// ```yaml
    /// terraform: [{file: outputs.json, map: {vpc_id: regions/eu-west-1/networks/main/vpcID}}]
    /// regions: {eu-west-1: {networks: {main: {vpcID: vpc-0a1b2c3d4e5f60001}}}}   # outputs.json has another
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// terraform: [{file: outputs.json, map: {vpc_id: regions/eu-west-1/networks/main/vpcID}}]
    /// regions: {eu-west-1: {networks: {main: {}}}}
    /// ```
    pub static CONTRADICTING_OUTPUT = { code: "LB0027", name: "contradicting-output", summary: "a value that Terraform's output contradicts", severity: Error };

    /// ## What it does
    /// Reports an entry of `spec.terraform` that gives nothing: a file that is not what
    /// `terraform output -json` prints, an output that is not in it, that has no value, or that is
    /// sensitive, and a place that the project does not have.
    ///
    /// ## Why it matters
    /// The value that is missing is an id or an address that others rely on. A sensitive value is
    /// never read into a topology: everything in a topology ends in manifests that are committed.
    ///
    /// ## Example
    /// ```yaml
    /// terraform: [{file: outputs.json, map: {vpc_ids: regions/eu-west-1/networks/main/vpcID}}]   # `vpc_id` in outputs.json
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// terraform: [{file: outputs.json, map: {vpc_id: regions/eu-west-1/networks/main/vpcID}}]
    /// ```
    pub static UNUSABLE_OUTPUT = { code: "LB0028", name: "unusable-output", summary: "an output of Terraform that cannot be used", severity: Error };

    /// ## What it does
    /// Reports a project without a Topology, or one whose topology says nothing of what every
    /// mesh needs.
    ///
    /// ## Why it matters
    /// The topology is what everything else hangs on.
    ///
    /// ## Example
    /// A `landbridge.yaml` with Clusters only.
    ///
    /// Use instead:
    /// ```yaml
    /// apiVersion: landbridge.dev/v1alpha1
    /// kind: Topology
    /// metadata: {name: payments-prod}
    /// spec: {}
    /// ```
    pub static MISSING_TOPOLOGY = { code: "LB0011", name: "missing-topology", summary: "a project without a topology", severity: Error };
}
