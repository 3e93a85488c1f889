package io.holdfast.modeswitch;

/** R1 and R2: how the active site stands to the passive one. */
final class ReplicationPhase {
    private ReplicationPhase() {}

    static void begin(Draft d) {
        d.replication = ReplicationState.ASYNC_WAIT;
        d.caughtUp = false;
        d.silentMillis = 0;
        d.waitMillis = 0;
        commitAsync(d);
    }

    private static void commitAsync(Draft d) {
        d.replication = ReplicationState.ASYNC_WAIT;
        d.effects.add(new SiteEffect.CommitReplication(ReplicationState.ASYNC));
        if (!d.rules.has(Rule.COMMIT_BEFORE_UNPROTECTED)) {
            d.replication = ReplicationState.ASYNC;
        }
    }

    static void peerInTime(Draft d) {
        d.silentMillis = 0;
        if (d.role == SiteRole.ACTIVE && d.replication == ReplicationState.ASYNC) {
            d.replication = ReplicationState.CATCHUP;
            d.caughtUp = false;
            d.waitMillis = 0;
            d.effects.add(new SiteEffect.CaptureBarrier());
        }
    }

    static void caughtUp(Draft d) {
        if (d.role == SiteRole.ACTIVE && d.replication == ReplicationState.CATCHUP && !d.caughtUp) {
            d.caughtUp = true;
            d.waitMillis = 0;
        }
    }

    static void committed(Draft d, SiteEvent.ReplicationCommitted e) {
        if (d.role == SiteRole.ACTIVE
                && d.replication == ReplicationState.ASYNC_WAIT
                && e.state() == ReplicationState.ASYNC) {
            d.replication = ReplicationState.ASYNC;
            d.effects.add(new SiteEffect.AllowUnprotectedAcks());
        } else if (d.role == SiteRole.ACTIVE
                && d.replication == ReplicationState.CATCHUP
                && level(d)
                && e.state() == ReplicationState.SYNC) {
            d.replication = ReplicationState.SYNC;
        } else {
            d.ignore(e);
        }
    }

    private static boolean level(Draft d) {
        return d.caughtUp || !d.rules.has(Rule.CATCHUP_BARRIER);
    }

    private static long stableMillis(Draft d) {
        return d.rules.has(Rule.CATCHUP_STABLE) ? d.config.stableMillis() : 1;
    }

    /** Time passes in ACTIVE. */
    static void tick(Draft d, long elapsedMillis) {
        d.silentMillis += elapsedMillis;
        boolean silent = d.silentMillis >= d.config.degradeMillis();
        switch (d.replication) {
            case SYNC -> {
                if (silent) {
                    commitAsync(d);
                }
            }
            case CATCHUP -> {
                if (silent) {
                    commitAsync(d);
                } else if (level(d)) {
                    long stable = stableMillis(d);
                    boolean before = d.waitMillis < stable;
                    d.waitMillis += elapsedMillis;
                    if (before && d.waitMillis >= stable) {
                        d.effects.add(new SiteEffect.CommitReplication(ReplicationState.SYNC));
                    }
                }
            }
            case ASYNC, ASYNC_WAIT -> {}
        }
    }
}
