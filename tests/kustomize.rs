//! What a real kustomize makes of rendered folders.
#![expect(clippy::disallowed_methods, reason = "the test writes folders and runs kubectl")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use landbridge::render;
use landbridge::render::write::write;
use landbridge::resource::{Desired, Resource};
use landbridge::source::Span;
use landbridge::system::os::OsSystem;
use serde_json::json;

use crate::projects;
use crate::tools::{named_by, run};

fn service(name: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "payments",
            "annotations": { "service.cilium.io/global": "true" },
        },
    })
}

/// Renders the resources into `use1` of a new folder.
fn rendered(resources: Vec<Resource>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let system = OsSystem::open(folder.path()).expect("the folder opens");
    let desired =
        Desired { cluster: "use1".into(), folder: "use1".into(), documents: Vec::new(), resources };
    let files = render::files(&desired).expect("nothing collides");
    write(&system, "use1", &files, false).expect("the folder is writable");
    folder
}

/// What `kubectl kustomize` prints: the objects, or the error.
fn kustomize(kubectl: &Path, folder: &Path) -> Result<String, String> {
    let output = run(Command::new(kubectl).arg("kustomize").arg(folder), b"");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn a_cluster_builds_with_and_without_objects() {
    let Some(kubectl) = named_by("LANDBRIDGE_KUBECTL") else { return };
    let empty = rendered(Vec::new());
    assert_eq!(kustomize(&kubectl, &empty.path().join("use1")), Ok(String::new()));
    let services = ["api", "ledger"].map(|name| Resource::object(service(name), Span::default()));
    let folder = rendered(services.into());
    let built = kustomize(&kubectl, &folder.path().join("use1")).expect("it builds");
    assert_eq!(built.matches("service.cilium.io/global: \"true\"").count(), 2, "{built}");
}

#[test]
fn a_team_includes_the_patches_as_a_component() {
    let Some(kubectl) = named_by("LANDBRIDGE_KUBECTL") else { return };
    let folder = rendered(vec![Resource::patch(service("api"), Span::default())]);
    assert_eq!(kustomize(&kubectl, &folder.path().join("use1")), Ok(String::new()));

    let team = folder.path().join("team");
    fs::create_dir(&team).expect("a folder");
    let own = "{apiVersion: v1, kind: Service, metadata: {name: NAME, namespace: payments}, \
               spec: {ports: [{port: 80}]}}";
    let list = "{resources: [own.yaml], components: [../use1/service-patches/payments]}";
    fs::write(team.join("kustomization.yaml"), list).expect("a file");
    fs::write(team.join("own.yaml"), own.replace("NAME", "api")).expect("a file");
    let built = kustomize(&kubectl, &team).expect("it builds");
    assert!(built.contains("service.cilium.io/global: \"true\""), "{built}");
    assert!(built.contains("port: 80"), "{built}");

    // A patch that finds no Service is an error, not a patch that does nothing.
    fs::write(team.join("own.yaml"), own.replace("NAME", "other")).expect("a file");
    let error = kustomize(&kubectl, &team).expect_err("there is no such Service");
    assert!(error.contains("no matches for Id Service.v1.[noGrp]/api.payments"), "{error}");
}

#[test]
fn sha256sum_takes_the_lock() {
    let folder = rendered(vec![Resource::object(service("api"), Span::default())]);
    let mut sha256sum = Command::new("sha256sum");
    sha256sum
        .args(["--check", "--strict", "landbridge.lock"])
        .current_dir(folder.path().join("use1"));
    if sha256sum.output().is_err() {
        eprintln!("skipped: there is no sha256sum");
        return;
    }
    let output = run(&mut sha256sum, b"");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, "kustomization.yaml: OK\nservices/payments.yaml: OK\n");
}

/// Every kustomization below a folder.
fn kustomizations(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            kustomizations(&path, found);
        } else if path.file_name().is_some_and(|name| name == "kustomization.yaml") {
            found.push(folder.to_path_buf());
        }
    }
}

/// For a cluster, and for what Argo CD and Flux are given.
#[test]
fn what_the_examples_compile_to_builds() {
    let Some(kubectl) = named_by("LANDBRIDGE_KUBECTL") else { return };
    for example in projects::examples() {
        let name = example.file_name().expect("an example has a name");
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/compile").join(name);
        let mut folders = Vec::new();
        kustomizations(&out.join("out"), &mut folders);
        assert!(!folders.is_empty(), "{} has no kustomization", out.display());
        for folder in folders {
            let built = kustomize(&kubectl, &folder);
            let built = built.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            assert!(built.contains("kind: "), "{} is empty", folder.display());
        }
    }
}
