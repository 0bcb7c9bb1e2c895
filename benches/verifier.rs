//! The matrix of `landbridge reach` beside a verifier that users could pick instead, on the same
//! folders of network policies, as a Markdown table.
//!
//! `LANDBRIDGE_NCA` names the program `nca` of `network-config-analyzer` from the Python package index; without
//! it `landbridge` alone is measured. Numbers after `--` are numbers of pods.
#![expect(clippy::disallowed_methods, reason = "it measures time, files and programs")]
#![expect(clippy::print_stdout, reason = "the table is its result")]

#[path = "mesh/measure.rs"]
mod measure;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use measure::{best, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_landbridge");

fn main() {
    let sizes: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![50, 100, 200] } else { sizes };
    let peer = env::var_os("LANDBRIDGE_NCA").filter(|name| !name.is_empty());
    println!("| pods | `landbridge reach` | `nca --connectivity` | ratio |");
    println!("| ---: | ---: | ---: | ---: |");
    for pods in sizes {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("objects.yaml"), objects(pods)).expect("it can be written");
        let own = best(5, || run(&mut reach(folder.path()))).time;
        let other = peer.as_ref().map(|program| {
            let mut command = Command::new(program);
            command.arg("--connectivity").arg(folder.path());
            for list in ["--pod_list", "--ns_list"] {
                command.arg(list).arg(folder.path());
            }
            run(command.arg("--return_0")).time
        });
        let (time, ratio) = other.map_or(("not measured".to_owned(), String::new()), |other| {
            (format!("{other:.2?}"), format!("{:.0}", other.as_secs_f64() / own.as_secs_f64()))
        });
        println!("| {pods} | {own:.2?} | {time} | {ratio} |");
    }
}

fn reach(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("reach").arg("--cilium").arg("1.20.2");
    command.arg("--manifests").arg(format!("use1={}", folder.display()));
    command.arg("-o").arg("json");
    command
}

/// Pods in namespaces of ten, each with a policy that lets three others in, on a port or a range.
fn objects(pods: usize) -> String {
    let mut text = String::new();
    let mut add = |part: std::fmt::Arguments<'_>| {
        text.write_fmt(part).expect("text takes what is written");
    };
    for namespace in 0..pods.div_ceil(10) {
        add(format_args!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: n{namespace}, labels: {{team: \
             t{}, kubernetes.io/metadata.name: n{namespace}}}}}\n---\n",
            namespace % 4
        ));
    }
    for pod in 0..pods {
        let namespace = pod / 10;
        add(format_args!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{pod}, namespace: n{namespace}, labels: \
             {{app: a{pod}, tier: t{}}}}}\nspec: {{containers: [{{name: c, image: i}}]}}\nstatus: \
             {{podIP: 10.0.{}.{}, hostIP: 192.168.0.1}}\n---\n",
            pod % 3,
            pod / 250,
            pod % 250 + 1,
        ));
        add(format_args!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{pod}, \
             namespace: n{namespace}}}\nspec:\n  podSelector: {{matchLabels: {{app: a{pod}}}}}\n  \
             policyTypes: [Ingress]\n  ingress:\n  - from: [{{podSelector: {{matchLabels: {{app: \
             a{}}}}}}}, {{namespaceSelector: {{matchLabels: {{team: t{}}}}}, podSelector: \
             {{matchLabels: {{tier: t{}}}}}}}]\n    ports: [{{protocol: TCP, port: {}}}, \
             {{protocol: UDP, port: 6000, endPort: 6100}}]\n---\n",
            namespace * 10 + (pod + 1) % 10,
            pod % 4,
            pod % 3,
            8000 + pod,
        ));
    }
    text
}
