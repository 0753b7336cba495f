use super::*;

fn commit(letter: char) -> CommitId {
    letter.to_string().repeat(40).parse().unwrap()
}

fn branch() -> Branch {
    "main".parse().unwrap()
}

/// Deliveries as pairs of letters, old tip then new; `0` is none. Answers the commits that are built for them, and `-` for
/// each that says that the branch is gone.
fn built(deliveries: &str) -> String {
    let mut branches = Branches::default();
    deliveries.split_whitespace().map(|delivery| take(&mut branches, delivery)).collect()
}

fn take(branches: &mut Branches, delivery: &str) -> String {
    let now = OffsetDateTime::UNIX_EPOCH;
    let [before, after] = [0, 1].map(|index| delivery.chars().nth(index).filter(|letter| *letter != '0').map(commit));
    let Some(commit) = after else {
        let is_gone = branches.delete(&branch(), before.as_ref(), now);
        return if is_gone { "-" } else { "" }.to_owned();
    };
    match branches.push(&branch(), &Push { before: before.as_ref(), commit: &commit }, now) {
        Arrival::Newest => commit.as_str()[..1].to_owned(),
        Arrival::Late => String::new(),
        Arrival::Behind(tip) => tip.as_str()[..1].to_owned(),
        Arrival::Gone => "-".to_owned(),
    }
}

/// What is left of the branch when `deliveries` have come in each order: for each ending the orders that lead there.
fn endings(deliveries: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut endings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for order in orders(deliveries) {
        let order = order.join(" ");
        endings.entry(built(&order).chars().last().into_iter().collect()).or_default().push(order);
    }
    endings
}

fn orders<'a>(deliveries: &[&'a str]) -> Vec<Vec<&'a str>> {
    if deliveries.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for index in 0..deliveries.len() {
        let mut rest = deliveries.to_vec();
        let first = rest.remove(index);
        all.extend(orders(&rest).into_iter().map(|order| [&[first][..], &order].concat()));
    }
    all
}

#[test]
fn a_push_that_was_overtaken_is_late_however_many_overtook_it() {
    assert_eq!(built("0a ab bc"), "abc");
    assert_eq!(built("0a bc ab"), "ac");
    assert_eq!(built("cd bc ab 0a"), "d");
    assert_eq!(built("ab 0a bc"), "bc");
}

#[test]
fn pushes_that_were_overtaken_by_one_they_lead_to_end_where_that_ended() {
    assert_eq!(built("bc 0a ab"), "cac");
    assert_eq!(built("cd 0a ab bc"), "dabd");
    assert_eq!(built("cd ab 0a bc"), "dbd");
    assert_eq!(built("cd 0a bc ab"), "dad");
    assert_eq!(built("bc 0a cd ab"), "cad", "the branch has gone on meanwhile");
}

#[test]
fn a_push_that_is_told_twice_does_not_bring_back_what_is_older() {
    assert_eq!(built("0a 0a ab 0a ab bc ab"), "aabbc");
}

#[test]
fn a_branch_that_is_forced_back_is_built_again() {
    assert_eq!(built("0a ab bc cb bd"), "abcbd");
    assert_eq!(built("ab ba ab"), "bab");
}

#[test]
fn a_deleted_branch_stays_deleted_in_whatever_order_its_story_is_told() {
    for story in [&["0a", "a0"][..], &["0a", "ab", "b0"], &["0a", "ab", "bc", "c0"]] {
        let endings = endings(story);
        assert_eq!(endings.keys().collect::<Vec<_>>(), ["-"], "{endings:?}");
    }
}

#[test]
fn a_push_to_the_deleted_tip_is_late_and_what_led_to_it_too() {
    assert_eq!(built("0a b0 ab"), "a--");
    assert_eq!(built("b0 ab 0a"), "---");
    assert_eq!(built("b0 0a ab"), "-a-", "until it leads there the first may be of a new branch");
    assert_eq!(built("0a bc c0 ab"), "ac--");
}

#[test]
fn a_branch_that_is_made_anew_is_built() {
    assert_eq!(built("0a ab b0 0c cd"), "ab-cd");
    assert_eq!(built("0a ab b0 0b bc"), "ab-bc", "at the tip it was deleted at");
    assert_eq!(built("0a ab b0 0a ab"), "ab-ab", "by the same pushes");
    assert_eq!(built("0a b0 ab 0b"), "a--b");
}

#[test]
fn a_deletion_that_comes_after_the_branch_was_made_anew_takes_nothing_down() {
    assert_eq!(built("0a ab 0c b0 cd"), "abcd");
    assert_eq!(built("0a ab 0b b0 bc"), "abbc");
    assert_eq!(built("0a ab 0c cd b0 d0"), "abcd-");
}

/// What can be told and what cannot, see decision 4.
#[test]
fn a_branch_that_is_made_anew_is_lost_only_where_a_push_of_its_former_life_came_later() {
    let endings = endings(&["0a", "ab", "b0", "0c"]);
    assert_eq!(endings.keys().collect::<Vec<_>>(), ["-", "c"], "nothing older is shown");
    for order in &endings["-"] {
        let at = |delivery: &str| order.find(delivery);
        assert!(at("0c") < at("0a") || at("0c") < at("ab"), "{order}");
    }
    assert_eq!(endings["c"].len(), 15);
}

/// The first push that is heard may be the one that made the deleted tip.
#[test]
fn a_branch_that_was_never_heard_of_is_restored_by_the_second_push_after_its_end() {
    assert_eq!(built("b0 0b bc"), "--c");
    assert_eq!(built("b0 0b 0b"), "--b");
}

#[test]
fn a_deletion_without_its_tip_forgets_the_branch() {
    let mut branches = Branches::default();
    for delivery in ["0a", "ab", "00"] {
        take(&mut branches, delivery);
    }
    assert_eq!(branches, Branches::default());
    assert_eq!(built("ab 00 0a"), "b-a");
}

/// As by two webhooks on one repository: each has ids of its own.
#[test]
fn a_push_to_a_deleted_branch_that_is_told_again_shows_nothing() {
    assert_eq!(built("0a ab b0 ab"), "ab--");
    assert_eq!(built("0a ab bc c0 bc ab"), "abc---");
    assert_eq!(built("0a ab b0 0c ab cd"), "ab-cd", "nor does it take the place of what was made anew");
}

#[test]
fn of_deleted_branches_the_newest_are_remembered_for_as_long_as_a_delivery_may_be_late() {
    let (mut branches, start) = (Branches::default(), OffsetDateTime::UNIX_EPOCH);
    let named = |number: usize| -> Branch { format!("fix-{number}").parse().unwrap() };
    for number in 0..=GONE_MAX {
        assert!(branches.delete(&named(number), Some(&commit('b')), start));
    }
    let mut late = |number: usize, now| {
        branches.push(&named(number), &Push { before: Some(&commit('a')), commit: &commit('b') }, now)
    };
    assert_eq!([late(0, start), late(1, start)], [Arrival::Newest, Arrival::Gone]);
    assert_eq!(late(2, start + DELIVERIES_KEPT), Arrival::Gone);
    assert_eq!(late(3, start + DELIVERIES_KEPT + time::Duration::SECOND), Arrival::Newest);
    assert_eq!(branches.gone, []);
}
