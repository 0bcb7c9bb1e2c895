//! A project that means harm, and the real program run on it within bounds.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The most processor time of a run in seconds, for a build without optimisation.
const SECONDS: u32 = 20;
/// The most address space of a run in KiB: 1 GiB, and what two threads reserve and never use.
const KIBIBYTES: u32 = (1024 + 256) * 1024;
/// The longest that a run may wait without using the processor at all, so that one that waits for
/// ever is seen. How long it takes in all depends on what else the machine does.
const PATIENCE: Duration = Duration::from_mins(2);

/// A small project without a finding.
pub(crate) const PROJECT: &str = "\
apiVersion: landbridge.dev/v1alpha1
kind: Topology
metadata: {name: test}
spec:
  include: []
  output: rendered
  versions: {kubernetes: 1.34.2, cilium: 1.19.6}
  mesh: {discovery: {globalServices: true, mcs: true}}
  clusterDefaults:
    loadBalancers: {controller: aws-load-balancer-controller}
  regions:
    us-east-1: {provider: aws, networks: {main: {cidrs: [10.0.0.0/16]}}}
    eu-west-1: {provider: aws, networks: {main: {cidrs: [10.1.0.0/16]}}}
  interconnects:
    - {between: [us-east-1, eu-west-1], type: transit-gateway}
---
apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {name: use1}
spec:
  region: us-east-1
  id: 1
  nodeCIDRs: [10.0.0.0/20]
  podCIDRs: [100.64.0.0/16]
  clustermesh: {endpoint: {ips: [10.0.1.20]}}
---
apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {name: euw1}
spec:
  region: eu-west-1
  id: 2
  nodeCIDRs: [10.1.0.0/20]
  podCIDRs: [100.65.0.0/16]
  clustermesh: {endpoint: {ips: [10.1.1.20]}}
---
apiVersion: landbridge.dev/v1alpha1
kind: MeshApplication
metadata: {name: shop}
spec:
  namespace: shop
  workloads:
    web: {labels: {app: web}, clusters: [euw1]}
    api: {labels: {app: api}, clusters: [use1, euw1]}
  services:
    api: {workload: api, ports: [{port: 80}], global: true}
  flows:
    order: {from: [web], to: [api]}
";

/// A project in a folder of its own, with something beside it that must stay as it is.
pub(crate) struct Attack {
    folder: TempDir,
}

/// How a run ended.
pub(crate) struct Outcome {
    code: Option<i32>,
    text: String,
    what: String,
}

impl Attack {
    /// The small project.
    pub(crate) fn new() -> Self {
        let attack = Self { folder: tempfile::tempdir().expect("a folder") };
        attack.put("landbridge.yaml", PROJECT);
        attack.put("../outside/secret.yaml", "secret: true\n");
        attack
    }

    /// The small project with one part of its text replaced.
    pub(crate) fn with(good: &str, bad: &str) -> Self {
        assert!(PROJECT.contains(good), "{good}");
        let attack = Self::new();
        attack.put("landbridge.yaml", PROJECT.replacen(good, bad, 1));
        attack
    }

    /// The small project with these globs.
    pub(crate) fn including(globs: &str) -> Self {
        Self::with("include: []", &format!("include: [{globs}]"))
    }

    /// The small project with more behind it.
    pub(crate) fn and(more: &str) -> Self {
        let attack = Self::new();
        attack.put("landbridge.yaml", format!("{PROJECT}---\n{more}"));
        attack
    }

    /// A path in the project's folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("project").join(path)
    }

    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        // `..` is only understood where the folder before it exists.
        fs::create_dir_all(self.folder.path().join("project")).expect("a folder");
        fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
        fs::write(path, content).expect("the file can be written");
    }

    pub(crate) fn folder(&self, path: &str) {
        fs::create_dir_all(self.path(path)).expect("a folder");
    }

    /// A link at `path` to `target`.
    pub(crate) fn link(&self, target: impl AsRef<Path>, path: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a link stands in a folder")).expect("a folder");
        symlink(target, path).expect("a link");
    }

    /// Runs the program with limits that the system enforces.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.run_for(SECONDS, args)
    }

    /// The same with so many seconds of processor time.
    pub(crate) fn run_for(&self, seconds: u32, args: &[&str]) -> Outcome {
        let out = self.folder.path().join("out");
        let file = File::create(&out).expect("a file");
        let errors = file.try_clone().expect("a file");
        let limits = format!("ulimit -v {KIBIBYTES} -t {seconds}; exec \"$0\" \"$@\"");
        let mut child = Command::new("bash")
            .args(["-c", &limits, env!("CARGO_BIN_EXE_landbridge")])
            .args(args)
            .current_dir(self.path("."))
            .env("RAYON_NUM_THREADS", "2")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .expect("bash starts");
        let (mut used, mut since) = (None, Instant::now());
        let ended = loop {
            if let Some(ended) = child.try_wait().expect("the child is ours") {
                break Some(ended);
            }
            let now = processor_time(child.id());
            if now != used {
                (used, since) = (now, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                child.kill().expect("the child is ours");
                child.wait().expect("the child is ours");
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let text = fs::read(out).expect("the output is there");
        let text = String::from_utf8(text).expect("the output is UTF-8");
        let what = format!("landbridge {}", args.join(" "));
        Outcome { code: ended.and_then(|ended| ended.code()), text, what }
    }

    /// Neither `check` nor `compile` takes it: both say what is wrong, there, and write nothing.
    pub(crate) fn is_refused(&self, place: &str, message: &str) {
        for args in [&["check"][..], &["check", "-o", "json"], &["compile"]] {
            let outcome = self.run(args);
            outcome.ends_with(&[1, 2]);
            outcome.says(message);
            let place = match args {
                [_, "-o", _] => place.split(':').next().unwrap_or_default(),
                _ => place,
            };
            outcome.says(place);
        }
        self.nothing_was_written();
    }

    /// Both commands take it.
    pub(crate) fn is_harmless(&self) {
        for args in [&["check"][..], &["compile"]] {
            self.run(args).ends_with(&[0]);
        }
    }

    /// What there is besides the input is the output.
    pub(crate) fn nothing_stands_beside_the_output(&self) {
        let entries = fs::read_dir(self.path(".")).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut strange = names.filter(|name| name != "landbridge.yaml" && name != "rendered");
        assert_eq!(strange.next(), None);
        for folder in ["use1", "euw1"] {
            assert!(self.path("rendered").join(folder).is_dir() || !self.path("rendered").exists());
        }
        let outside = fs::read_dir(self.path("../outside")).expect("a folder");
        assert_eq!(outside.count(), 1, "something was written outside");
    }

    pub(crate) fn nothing_was_written(&self) {
        assert!(!self.path("rendered").exists(), "something was written");
        let outside: Vec<_> = fs::read_dir(self.path("../outside")).expect("a folder").collect();
        assert_eq!(outside.len(), 1, "something was written outside");
        let secret = fs::read_to_string(self.path("../outside/secret.yaml")).expect("a file");
        assert_eq!(secret, "secret: true\n");
    }
}

/// What a process has used of the processor so far, in the system's ticks; nothing where the
/// system does not say.
fn processor_time(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program stands in brackets and may have any characters.
    let (_, fields) = text.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
    ticks.sum::<Result<u64, _>>().ok()
}

impl Outcome {
    /// It ended by itself, within its limits, with one of these codes, and with text that is safe
    /// to show.
    pub(crate) fn ends_with(&self, codes: &[i32]) {
        let Self { code, text, what } = self;
        let start: String = text.chars().take(4_000).collect();
        assert!(!text.contains("bug in landbridge"), "{what}: {start}");
        assert!(!text.contains("panicked"), "{what}: {start}");
        assert!(code.is_some_and(|code| codes.contains(&code)), "{what} ended {code:?}: {start}");
        // JSON is for programs, and escapes what JSON has to.
        let json = what.ends_with("json");
        let unsafe_char = |c: char| match c {
            '\n' => false,
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => !json,
            c => c.is_control(),
        };
        let shown: Vec<char> = text.chars().filter(|c| unsafe_char(*c)).take(3).collect();
        assert!(shown.is_empty(), "{what} prints {shown:?}: {start}");
        assert!(text.len() < 32 * 1024 * 1024, "{what} prints {} bytes", text.len());
    }

    pub(crate) fn mentions(&self, part: &str) -> bool {
        self.text.contains(part)
    }

    pub(crate) fn says(&self, part: &str) {
        let start: String = self.text.chars().take(4_000).collect();
        assert!(self.text.contains(part), "{} does not say `{part}`: {start}", self.what);
    }
}
