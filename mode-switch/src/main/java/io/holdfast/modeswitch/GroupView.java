package io.holdfast.modeswitch;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What a member of profile P3 knows about the Raft group of its lineage and about its contacts.
 * Nothing of it is durable. {@link #NONE} in P2.
 *
 * @param stretched whether the group's voters stand at both sites and the witness, so that no place
 *     has a majority alone; a lineage that was forked by force has its own site's voters only, and
 *     follows the rules of P2 until the others are adopted
 * @param term in which this member leads; 0 while it does not
 * @param leader who leads, as far as known; empty text for nobody
 * @param leadingMillis since when this member leads
 * @param leaseLeftMillis how long it may still command; counted down by ticks, so a shell that has
 *     not ticked for that long must not command either
 * @param upMillis time since the start
 * @param heard member to {@code upMillis} of the first tick after its last sign of life; more than
 *     {@code upMillis} until that tick
 * @param question number of the last question to the witness
 * @param backupsProtected whether the applied record says SYNC, and that every completed backup is
 *     DR_PROTECTED
 */
public record GroupView(
        boolean stretched,
        long term,
        String leader,
        long leadingMillis,
        long leaseLeftMillis,
        long upMillis,
        Map<String, Long> heard,
        long question,
        boolean backupsProtected) {
    private static final long SINCE_THE_LAST_TICK = Long.MAX_VALUE;

    /** For P2: no group that decides anything. */
    public static final GroupView NONE = new GroupView(false, 0, "", 0, 0, 0, Map.of(), 0, false);

    /** For a start in P3: nothing is known yet. */
    static final GroupView UNKNOWN = new GroupView(true, 0, "", 0, 0, 0, Map.of(), 0, false);

    /** Copies the map. */
    public GroupView {
        heard = Map.copyOf(heard);
    }

    /** Whether this member leads the group. */
    public boolean leading() {
        return term > 0;
    }

    /** How long none of these members has given a sign of life; since the start, when never. */
    public long silenceMillis(Set<String> members) {
        long last = 0;
        for (String member : members) {
            last = Math.max(last, heard.getOrDefault(member, 0L));
        }
        return upMillis - Math.min(last, upMillis);
    }

    GroupView shaped(boolean nowStretched, long lease) {
        return new GroupView(
                nowStretched,
                term,
                leader,
                leadingMillis,
                lease,
                upMillis,
                heard,
                question,
                backupsProtected);
    }

    GroupView led(long nowTerm, String nowLeader) {
        return new GroupView(
                stretched, nowTerm, nowLeader, 0, 0, upMillis, heard, question, backupsProtected);
    }

    GroupView leased(long lease) {
        return shaped(stretched, Math.max(lease, leaseLeftMillis));
    }

    GroupView ticked(long elapsed, boolean late) {
        return new GroupView(
                stretched,
                term,
                leader,
                leading() ? leadingMillis + elapsed : 0,
                Math.max(0, leaseLeftMillis - elapsed),
                upMillis + elapsed,
                dated(late ? upMillis + elapsed : upMillis),
                question,
                backupsProtected);
    }

    /** What was heard since the last tick may have been heard just now: a tick can be late. */
    private Map<String, Long> dated(long now) {
        if (!heard.containsValue(SINCE_THE_LAST_TICK)) {
            return heard;
        }
        Map<String, Long> dated = new HashMap<>(heard);
        dated.replaceAll((member, at) -> at == SINCE_THE_LAST_TICK ? now : at);
        return dated;
    }

    GroupView heardOf(String member) {
        if (heard.getOrDefault(member, 0L) == SINCE_THE_LAST_TICK) {
            return this;
        }
        Map<String, Long> more = new HashMap<>(heard);
        more.put(member, SINCE_THE_LAST_TICK);
        return new GroupView(
                stretched,
                term,
                leader,
                leadingMillis,
                leaseLeftMillis,
                upMillis,
                more,
                question,
                backupsProtected);
    }

    GroupView asking() {
        return new GroupView(
                stretched,
                term,
                leader,
                leadingMillis,
                leaseLeftMillis,
                upMillis,
                heard,
                question + 1,
                backupsProtected);
    }

    GroupView backups(boolean nowProtected) {
        return new GroupView(
                stretched,
                term,
                leader,
                leadingMillis,
                leaseLeftMillis,
                upMillis,
                heard,
                question,
                nowProtected);
    }
}
