package io.holdfast.modeswitch;

/** Who votes in the Raft group of a lineage in P2 (DR-PROTOCOL 3.2). The active site's members all do. */
public final class Layout {
    private Layout() {}

    /**
     * Whether one more member of the passive site may become a voter now. Two of three do, of fewer none;
     * and never before the active site would keep a majority of its own beside it. Otherwise it listens:
     * it follows, and acknowledges, all the same.
     *
     * @param passiveMembers how many members the passive site has
     * @param activeVoters how many members of the active site vote
     * @param passiveVoters how many others of the passive site do
     */
    public static boolean passiveMayVote(int passiveMembers, int activeVoters, int passiveVoters) {
        return passiveMembers >= 3 && passiveVoters + 1 < activeVoters;
    }
}
