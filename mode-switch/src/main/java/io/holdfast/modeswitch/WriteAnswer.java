package io.holdfast.modeswitch;

/**
 * What the leader may answer for a write that Raft has committed (DR-PROTOCOL 3.3), as a table. {@code
 * acknowledged} means by {@link SiteAckBook}, of the very index of the write. The first row that holds:
 *
 * <table>
 * <caption>answers</caption>
 * <tr><th>while</th><th>availability</th><th>protection</th></tr>
 * <tr><td>acknowledged</td><td>PROTECTED</td><td>PROTECTED</td></tr>
 * <tr><td>this member does not lead the write's lineage any more</td><td>UNKNOWN</td><td>UNKNOWN</td></tr>
 * <tr><td>ASYNC</td><td>UNPROTECTED</td><td>UNKNOWN</td></tr>
 * <tr><td>CATCHUP, after {@code syncMillis}</td><td>UNPROTECTED</td><td>WAIT</td></tr>
 * <tr><td>any state, after {@code limitMillis}</td><td>UNKNOWN</td><td>UNKNOWN</td></tr>
 * <tr><td>else</td><td>WAIT</td><td>WAIT</td></tr>
 * </table>
 *
 * <p>So nothing is UNPROTECTED before the record says ASYNC (R1): in SYNC and ASYNC_WAIT a write waits for
 * the acknowledgement or for that entry, whichever comes first.
 */
public enum WriteAnswer {
    /** Not yet. */
    WAIT,
    /** The write survives the loss of either site. */
    PROTECTED,
    /** The write is lost with this site, unless the other one acknowledges it later. */
    UNPROTECTED,
    /** It stands in this site's log, and nothing may be promised about it. */
    UNKNOWN;

    /** How long a write waits for the other site while the record says ASYNC anyway (t_sync). */
    public static final long SYNC_MILLIS = 2_000;

    /**
     * The limits of a wait.
     *
     * @param syncMillis in CATCHUP; see {@link #SYNC_MILLIS}
     * @param limitMillis in any state; above {@link SiteConfig#degradeMillis()}, so that R1 comes first
     */
    public record Limits(long syncMillis, long limitMillis) {}

    /**
     * The answer now.
     *
     * @param acknowledged whether a quorum of each site has acknowledged the write's index
     * @param leads whether this member still leads, and may command, where it was written
     * @param replication how this member's machine says that the other site stands
     * @param policy that binds now
     * @param waitedMillis since the write was committed
     */
    public static WriteAnswer of(
            boolean acknowledged,
            boolean leads,
            ReplicationState replication,
            AckPolicy policy,
            long waitedMillis,
            Limits limits) {
        if (acknowledged) {
            return PROTECTED;
        }
        if (!leads) {
            return UNKNOWN;
        }
        boolean alone = policy == AckPolicy.AVAILABILITY;
        WriteAnswer answer =
                switch (replication) {
                    case ASYNC -> alone ? UNPROTECTED : UNKNOWN;
                    case CATCHUP ->
                            alone && waitedMillis >= limits.syncMillis() ? UNPROTECTED : WAIT;
                    case SYNC, ASYNC_WAIT -> WAIT;
                };
        return answer == WAIT && waitedMillis >= limits.limitMillis() ? UNKNOWN : answer;
    }
}
