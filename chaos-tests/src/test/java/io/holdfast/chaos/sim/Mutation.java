package io.holdfast.chaos.sim;

import java.util.Set;

/** A rule that the simulation leaves out, and what must then be seen. */
enum Mutation {
    NONE(""),
    /** A PIECE is appended without the proof that all below it is durable. */
    O1_COMMIT_WITHOUT_PROOF("I10"),
    /** The catalog has the row before the PIECE is durable. */
    O2_ROW_BEFORE_PIECE("I10: rows"),
    O3_ENDED_BEFORE_ROW("O3"),
    /** The other catalog applies a row whose PIECE its site has not. */
    O4_ROWS_NOT_PARKED("I10: rows"),
    /** It leaves such a row out, and goes on behind it. */
    O4_OUTBOX_SKIPS_PARKED("I9"),
    /** Protected is proposed without asking for the row; asking for the PIECE alone is implied by it. */
    O4_PROTECTED_WITHOUT_ROW("I9"),
    O4_PROTECTED_TOO_EARLY("I9"),
    /** A Protected entry is shown before the other site has it. */
    O4_SHOWN_BEFORE_ACK("I9"),
    /** Chunks go before the site's catalog has forgotten the piece. */
    O4_SWEPT_BEFORE_TOMBSTONE("I10: rows"),
    G1_DELETION_CROSSES_SITES("I11"),
    /** An expiry that a forced move can take back is acted on. */
    G1_EXPIRY_ACTS_UNPROTECTED("I9|I11"),
    G2_FOSSIL_NOT_RESURRECTED("I11"),
    G2_HAVE_IS_NO_PIN("G2"),
    G3_NO_SECOND_MARK("I11", "secondMark"),
    G3_NO_GRACE("I11.*needed", "grace"),
    G3_SESSIONS_NOT_AWAITED("I10|I11", "sessionsEnded"),
    G3_EPOCHS_MIXED("G3", "sameEpoch"),
    G3_FOSSILS_SURVIVE_CRASH("I10|I11", "sameOpening"),
    G3_CLOCKS_NOT_COMPARED("I11.*needed", "clocks"),
    G4_SWEEP_UNSETTLED("G4.*although it is", "freezeUnsettled"),
    G4_SWEEP_OUT_OF_SYNC("G4.*in sync", "freezeOutOfSync"),
    /** A peer that has not reconciled is not in sync either, so both freezes go. */
    G4_SWEEP_FORCED("has not reconciled", "freezeForced", "freezeOutOfSync"),
    G4_SWEEP_PINNED("I11.*rehearsal", "freezePins"),
    G5_DR_EXPIRES_FIRST("I9"),
    G6_LAST_COPY_EXPIRES("G6: no copy"),
    G6_HOLD_IGNORED("G6: piece"),
    G7_NO_FENCE("G7", "fence"),
    G8_CATALOG_IS_THE_ROOT("I11");

    /** A regular expression for the first words of the violation. */
    final String seen;

    /** The clauses of the collector that are off. */
    final Set<String> clauses;

    Mutation(String seen, String... clauses) {
        this.seen = seen;
        this.clauses = Set.of(clauses);
    }
}
