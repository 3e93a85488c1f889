package io.holdfast.modeswitch;

import io.holdfast.standard.FormatException;

/**
 * Who decides that a site is lost, and how long that takes (DR-PROTOCOL 3.2, 3.6).
 *
 * @param kind P2: two sites, the operator decides. P3: with a witness, nobody has a majority alone
 * @param witness member id of the witness; empty text in P2
 * @param downMillis silence after which the other site counts as lost (t_down)
 * @param leaseMillis how long a leader may command after a majority last answered it; 0 in P2
 * @param driftMillis what clocks may gain on each other during a lease, and a command's flight
 * @param autoFailover whether the passive site may take over without an operator
 * @param requires what must be at the passive site before it does
 */
public record Profile(
        Kind kind,
        String witness,
        long downMillis,
        long leaseMillis,
        long driftMillis,
        boolean autoFailover,
        Requires requires) {
    /** 15 s of silence (t_down). */
    public static final long DOWN_MILLIS = 15_000;

    /** A lease of 8 s; with the drift, a takeover waits 10 s. */
    public static final long LEASE_MILLIS = 8_000;

    /** 2 s for drift. */
    public static final long DRIFT_MILLIS = 2_000;

    /** Two sites, or two sites and a witness. */
    public enum Kind {
        /** Two sites; the active one has the majority; the operator decides. */
        P2,
        /** Two sites and a witness; nobody has the majority alone. */
        P3
    }

    /** What an automatic failover asks of the data ({@code auto-failover-requires}). */
    public enum Requires {
        /** The record suffices; Raft has it. */
        METADATA("metadata"),
        /** In SYNC, and every completed backup is DR_PROTECTED. */
        PROTECTED_BACKUPS("protected-backups");

        private final String word;

        Requires(String word) {
            this.word = word;
        }

        /** As it stands in configuration. */
        public String word() {
            return word;
        }

        /** The value of a word. @throws FormatException when there is none */
        public static Requires ofWord(String word) {
            for (Requires requires : values()) {
                if (requires.word.equals(word)) {
                    return requires;
                }
            }
            throw new FormatException(
                    "auto-failover-requires", word, 0, "metadata or protected-backups");
        }
    }

    /** Checks what P3 needs. */
    public Profile {
        if ((kind == Kind.P3) == witness.isEmpty()) {
            throw new FormatException("witness", witness, 0, "a member id in P3, nothing in P2");
        }
        if (kind == Kind.P3 && (downMillis <= 0 || leaseMillis <= 0 || driftMillis < 0)) {
            throw new FormatException(
                    "times",
                    downMillis + ", " + leaseMillis + ", " + driftMillis,
                    0,
                    "t_down and lease above 0 ms, drift not below 0 ms");
        }
    }

    /** Two sites. */
    public static Profile p2() {
        return new Profile(Kind.P2, "", 0, 0, 0, false, Requires.METADATA);
    }

    /** Two sites and a witness, with the times of the protocol and automatic failover. */
    public static Profile p3(String witness) {
        return new Profile(
                Kind.P3, witness, DOWN_MILLIS, LEASE_MILLIS, DRIFT_MILLIS, true, Requires.METADATA);
    }

    /** The same without, or with, automatic failover, on this condition. */
    public Profile auto(boolean on, Requires condition) {
        return new Profile(kind, witness, downMillis, leaseMillis, driftMillis, on, condition);
    }

    /** Whether there is a witness. */
    public boolean isP3() {
        return kind == Kind.P3;
    }

    /** How long a new leader waits before it takes the epoch, so that the old one's lease is over. */
    public long takeoverMillis() {
        return leaseMillis + driftMillis;
    }
}
