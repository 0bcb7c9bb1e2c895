//! `landbridge reach` on plain manifests: what policies of Kubernetes mean, what its formats are,
//! and what becomes of input that means harm.
#![expect(clippy::disallowed_methods, reason = "the tests write files and run the program")]

mod kubernetes;
mod shared;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::golden;

fn reach(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landbridge"));
    command.arg("reach").args(args).current_dir(folder).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Whoever reads no input closes it.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const MANIFESTS: [&str; 4] = ["--manifests", "euw1=k8s/euw1", "--manifests", "use1=k8s/use1"];

fn sample(args: &[&str]) -> Output {
    let args: Vec<&str> =
        MANIFESTS.iter().chain(&["--cilium", "1.18"]).chain(args).copied().collect();
    reach(&golden::path("tests/cmd/reach.in"), &args, b"")
}

fn violations(answer: &Value) -> Vec<String> {
    let schema = serde_json::from_str(landbridge::report::reach::json::SCHEMA).expect("it is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    schema.iter_errors(answer).map(|error| error.to_string()).collect()
}

#[test]
fn json_is_as_its_schema_says() {
    let question = ["--from", "payments/", "--to", "svc:payments/fraud-detection", "--port", "80"];
    for args in [&question[..], &["--to", "payments/"], &["--possible"]] {
        let args: Vec<&str> = args.iter().chain(&["-o", "json"]).copied().collect();
        let answer: Value = serde_json::from_slice(&sample(&args).stdout).expect("it is JSON");
        assert_eq!(violations(&answer), [""; 0], "{args:?}");
    }
    let args = ["diff", "use1=k8s/use1", "use1=k8s/wider,euw1=k8s/euw1", "-o", "json"];
    let output = reach(&golden::path("tests/cmd/reach.in"), &args, b"");
    let mut answer: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(violations(&answer), [""; 0]);
    answer["opened"][0]["general"] = 1.into();
    answer["more"] = 1.into();
    assert_eq!(violations(&answer).len(), 2);
}

#[test]
fn a_picture_is_xml_whatever_things_are_called() {
    let name =
        "{apiVersion: v1, kind: Pod, metadata: {name: '<script>&\"', namespace: \"]]>\\u0007\"}}\n";
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("a.yaml"), name).expect("it can be written");
    for format in ["svg", "dot", "mermaid", "csv", "table", "json"] {
        let output = reach(folder.path(), &["--manifests", "use1=a.yaml", "-o", format], b"");
        let made = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output.stderr));
        assert!(!made.contains('\u{7}'), "{format}: {made}");
        if format == "svg" {
            assert!(
                made.contains("&lt;script&gt;&amp;&quot;") && !made.contains("<script"),
                "{made}"
            );
        }
        if format == "mermaid" {
            assert!(!made.contains("<script"), "{made}");
        }
    }
}

#[test]
fn standard_input_is_a_cluster() {
    let objects =
        fs::read(golden::path("tests/cmd/reach.in/k8s/use1/payments.yaml")).expect("a file");
    let args = ["--manifests", "use1=-", "--cilium", "1.18", "--from", "payments/fraud-detection"];
    let args: Vec<&str> =
        args.iter().chain(&["--to", "payments/ledger", "--port", "5432"]).copied().collect();
    let output = reach(Path::new("."), &args, &objects);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for nothing in [&b""[..], b"# nothing\n", b"Error: accumulating resources\n", &[0xff; 100]] {
        let output = reach(Path::new("."), &["--manifests", "use1=-", "--cilium", "1.18"], nothing);
        assert_eq!(output.status.code(), Some(3), "{}", text(nothing));
        assert!(text(&output.stderr).contains("not checked"), "{}", text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn folders_that_mean_harm_come_to_an_end() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    fs::create_dir_all(root.join("loop/a")).expect("a folder");
    for name in ["b", "c", "d"] {
        symlink("../a", root.join("loop/a").join(name)).expect("a link");
    }
    symlink("/etc", root.join("loop/out.yaml")).expect("a link");
    fs::create_dir_all(root.join("circle/x")).expect("a folder");
    fs::write(root.join("circle/kustomization.yaml"), "resources: [x, x]\n").expect("a file");
    fs::write(root.join("circle/x/kustomization.yaml"), "resources: [.., ../x]\n").expect("a file");
    fs::create_dir_all(root.join("huge")).expect("a folder");
    let huge = fs::File::create(root.join("huge/a.yaml")).expect("a file");
    huge.set_len(1 << 33).expect("a sparse file");
    fs::create_dir_all(root.join("peers")).expect("a folder");
    let peers = "- {matchLabels: {app: x}}\n        ".repeat(100_000);
    let policy = format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: a}}\nspec:\n  \
         endpointSelector: {{}}\n  ingress:\n    - fromEndpoints:\n        {peers}\n---\napiVersion: \
         v1\nkind: Pod\nmetadata: {{name: x}}\n"
    );
    fs::write(root.join("peers/a.yaml"), policy).expect("a file");
    for (name, expected) in [("loop", 3), ("circle", 3), ("huge", 3), ("peers", 0)] {
        let manifests = format!("use1={name}");
        let begin = std::time::Instant::now();
        let output = reach(root, &["--manifests", &manifests, "--cilium", "1.20"], b"");
        assert_eq!(output.status.code(), Some(expected), "{name}: {}", text(&output.stderr));
        assert!(begin.elapsed().as_secs() < 60, "{name}: {:?}", begin.elapsed());
    }
}

#[test]
fn what_is_asked_wrongly_is_an_error() {
    let cases: [(&[&str], &str); 7] = [
        (&["--manifests", "use1"], "name the cluster and the folder"),
        (&["--manifests", "use1=gone"], "cannot be read"),
        (&["--cilium", "1.18"], "--manifests"),
        (&["--manifests", "use1=k8s/use1", "--cilium", "1.15"], "from 1.16 to 1.20"),
        (&["--manifests", "use1=k8s/use1", "--cilium", "x=1.18"], "which is no cluster here"),
        (&["--manifests", "use1=k8s/use1", "--manifests", "use1=k8s/euw1"], "named twice"),
        (&["diff", "use1=k8s/use1"], "AFTER"),
    ];
    for (args, expected) in cases {
        let output = reach(&golden::path("tests/cmd/reach.in"), args, b"");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(expected), "{args:?}: {}", text(&output.stderr));
    }
}
