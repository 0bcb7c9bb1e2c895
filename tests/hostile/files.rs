//! Files that are none, and ways out of the project.

use std::process::Command;

use super::attack::Attack;

#[test]
fn what_is_no_regular_file_is_refused() {
    let attack = Attack::including("pipe.yaml, \"pi*.yaml\"");
    let made = Command::new("mkfifo").arg(attack.path("pipe.yaml")).status();
    assert!(made.expect("mkfifo starts").success());
    attack.is_refused("landbridge.yaml:5:13", "`pipe.yaml`: it is not a regular file");
    let attack = Attack::including("folder.yaml");
    attack.folder("folder.yaml");
    attack.is_refused("landbridge.yaml:5:13", "`folder.yaml`: it is not a regular file");
    for device in ["/dev/zero", "/dev/random", "/proc/self/mem", "/dev/stdin"] {
        let attack = Attack::including("device.yaml");
        attack.link(device, "device.yaml");
        attack.is_refused("landbridge.yaml:5:13", "cannot read `device.yaml`");
    }
}

#[test]
fn the_entry_itself_may_be_hostile() {
    let attack = Attack::new();
    std::fs::remove_file(attack.path("landbridge.yaml")).expect("it is there");
    let made = Command::new("mkfifo").arg(attack.path("landbridge.yaml")).status();
    assert!(made.expect("mkfifo starts").success());
    attack.run(&["check", "-C", "."]).ends_with(&[1, 2]);
    let attack = Attack::new();
    std::fs::remove_file(attack.path("landbridge.yaml")).expect("it is there");
    attack.link("/dev/zero", "landbridge.yaml");
    attack.run(&["check", "-C", "."]).ends_with(&[1, 2]);
    attack.nothing_was_written();
}

#[test]
fn links_do_not_lead_out() {
    let attack = Attack::including("secret.yaml, \"lin*/*.yaml\"");
    attack.link("../outside/secret.yaml", "secret.yaml");
    attack.link("../outside", "link");
    attack.is_refused("landbridge.yaml:5:13", "it lies outside the project");
    attack.is_refused("landbridge.yaml:5:26", "it lies outside the project");
    let attack = Attack::including("\"loop*.yaml\", loop.yaml");
    attack.link("loop.yaml", "loop.yaml");
    attack.is_refused("landbridge.yaml:5:27", "cannot read `loop.yaml`");
}

#[test]
fn folders_in_themselves_are_walked_once() {
    for glob in
        ["**/*.yaml", "**/**/**/**/**/*.yaml", "*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/x.yaml"]
    {
        let attack = Attack::including(&format!("\"a/{glob}\""));
        attack.put("a/x.txt", "");
        for name in ["b", "c", "d"] {
            attack.link(".", &format!("a/{name}"));
        }
        let outcome = attack.run(&["check"]);
        outcome.ends_with(&[0, 1]);
        outcome.says("landbridge.yaml:5:13");
    }
}

#[test]
fn globs_are_bounded() {
    let attack = Attack::including(&vec!["\"**/*.yaml\""; 5_000].join(", "));
    for folder in 0..200 {
        attack.put(&format!("many/{folder}/x.txt"), "");
    }
    attack.run(&["check"]).ends_with(&[0, 1]);
    for glob in [
        "a{b,c}".repeat(2_000),
        "[a-z]".repeat(5_000),
        "{".repeat(5_000),
        "**/".repeat(5_000),
        "*a".repeat(5_000),
    ] {
        let attack = Attack::including(&format!("\"{glob}\""));
        attack.put(&"a".repeat(200), "");
        let outcome = attack.run(&["check"]);
        outcome.ends_with(&[0, 1]);
        outcome.says("landbridge.yaml:5:");
    }
}

#[test]
fn includes_stay_inside() {
    for glob in [
        "../outside/secret.yaml",
        "/etc/passwd",
        "~/secret.yaml",
        "a/../../outside/secret.yaml",
        "..",
        "a\\\\..\\\\b",
        "../outside/*.yaml",
        "{..,a}/outside/*.yaml",
        "a//b",
        "",
    ] {
        let attack = Attack::including(&format!("\"{glob}\""));
        attack.folder("a");
        let outcome = attack.run(&["check"]);
        outcome.ends_with(&[0, 1]);
        outcome.says("landbridge.yaml:5:");
        assert!(!outcome.mentions("secret: true"), "{glob}");
        attack.nothing_was_written();
    }
}

#[test]
fn a_file_is_read_once_however_often_it_is_named() {
    let attack = Attack::including("landbridge.yaml, \"*.yaml\", \"./*.yaml\", more.yaml");
    attack.put("more.yaml", "# nothing\n");
    attack.is_harmless();
    // Includes of included files are no part of the language: nothing can go round in circles.
    let attack = Attack::including("other.yaml");
    attack.put(
        "other.yaml",
        super::attack::PROJECT.replace("include: []", "include: [landbridge.yaml]"),
    );
    attack.is_refused("other.yaml:3:", "declared twice");
}
