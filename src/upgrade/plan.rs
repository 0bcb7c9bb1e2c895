//! In which order clusters get a version.
//!
//! Cilium is upgraded minor by minor (its upgrade guide, "Upgrading to a new minor"), and the
//! clusters of a mesh may be one minor apart ("versions of all clusters must differ by no more
//! than one minor release", its guide "Setting up Cluster Mesh", since 1.20.2). So a plan is a
//! list of steps of at most one minor each, and every cluster takes a step before any takes the
//! next one.

use semver::Version;

use crate::topology::ClusterId;

/// A cluster that may get another version.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The cluster.
    pub cluster: ClusterId,
    /// The version that it has.
    pub version: Version,
    /// Whether it stands by, so that users notice the least when it goes first.
    pub passive: bool,
}

/// What one cluster does in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The cluster.
    pub cluster: ClusterId,
    /// The version that it has before.
    pub from: Version,
    /// The version that it gets.
    pub to: Version,
}

/// Moves of several clusters, one after the other, to the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The version that they get.
    pub to: Version,
    /// The moves, in the order in which they may be done: clusters that stand by first.
    pub moves: Vec<Move>,
}

/// The steps that bring clusters to a version. `patch` chooses the version of a minor on the way
/// for the clusters that get it. A cluster that has the version takes no step; one that has a
/// newer one takes it back at once, which Cilium does not support and the caller has to say.
pub fn steps(
    pinned: &[Pinned],
    target: &Version,
    patch: impl Fn((u64, u64), &[ClusterId]) -> Version,
) -> Vec<Step> {
    let minor = |version: &Version| (version.major, version.minor);
    let goal = minor(target);
    let mut left: Vec<Pinned> =
        pinned.iter().filter(|one| one.version != *target).cloned().collect();
    left.sort_by_key(|one| (!one.passive, one.cluster));
    let mut steps = Vec::new();
    while let Some(lowest) = left.iter().map(|one| minor(&one.version)).min() {
        let last = lowest.0 != goal.0 || lowest.1 + 1 >= goal.1;
        // The last step is that of everyone; until then the oldest go first.
        let (moving, staying): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|one| last || minor(&one.version) == lowest);
        let to = if last {
            target.clone()
        } else {
            let clusters: Vec<_> = moving.iter().map(|one| one.cluster).collect();
            patch((lowest.0, lowest.1 + 1), &clusters)
        };
        let moves = moving.iter().map(|one| Move {
            cluster: one.cluster,
            from: one.version.clone(),
            to: to.clone(),
        });
        steps.push(Step { moves: moves.collect(), to: to.clone() });
        left = staying;
        if !last {
            left.extend(moving.into_iter().map(|one| Pinned { version: to.clone(), ..one }));
            left.sort_by_key(|one| (!one.passive, one.cluster));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps as `1.19.6: 0 from 1.18.7, 1 from 1.18.6`; `*` marks who stands by.
    fn plan(pinned: &[&str], target: &str) -> Vec<String> {
        let version = |text: &str| Version::parse(text).expect("a version");
        let one = |(at, text): (usize, &&str)| Pinned {
            cluster: ClusterId::new(at),
            version: version(text.trim_end_matches('*')),
            passive: text.ends_with('*'),
        };
        let pinned: Vec<_> = pinned.iter().enumerate().map(one).collect();
        let newest = |(major, minor): (u64, u64), _: &[ClusterId]| Version::new(major, minor, 9);
        let steps = steps(&pinned, &version(target), newest);
        let text = |step: &Step| {
            let moves = step.moves.iter();
            let moves = moves.map(|one| format!("{} from {}", one.cluster.index(), one.from));
            format!("{}: {}", step.to, moves.collect::<Vec<_>>().join(", "))
        };
        steps.iter().map(text).collect()
    }

    #[test]
    fn the_version_that_is_there_takes_no_step() {
        assert_eq!(plan(&["1.19.6", "1.19.6"], "1.19.6"), [""; 0]);
        assert_eq!(plan(&["1.19.6", "1.19.5"], "1.19.6"), ["1.19.6: 1 from 1.19.5"]);
    }

    #[test]
    fn minors_are_taken_one_by_one() {
        let expected =
            ["1.19.9: 0 from 1.18.7, 1 from 1.18.6", "1.20.2: 0 from 1.19.9, 1 from 1.19.9"];
        assert_eq!(plan(&["1.18.7", "1.18.6"], "1.20.2"), expected);
    }

    #[test]
    fn who_stands_by_goes_first() {
        assert_eq!(
            plan(&["1.19.6", "1.19.6*"], "1.20.2"),
            ["1.20.2: 1 from 1.19.6, 0 from 1.19.6"]
        );
    }

    #[test]
    fn the_oldest_catch_up_before_anyone_goes_on() {
        let expected = [
            "1.18.9: 0 from 1.17.1",
            "1.19.9: 0 from 1.18.9, 1 from 1.18.3",
            "1.20.2: 0 from 1.19.9, 1 from 1.19.9, 2 from 1.20.0",
        ];
        assert_eq!(plan(&["1.17.1", "1.18.3", "1.20.0"], "1.20.2"), expected);
    }

    #[test]
    fn the_way_back_is_one_step() {
        assert_eq!(plan(&["1.20.2", "1.18.3"], "1.18.5"), ["1.18.5: 0 from 1.20.2, 1 from 1.18.3"]);
    }
}
