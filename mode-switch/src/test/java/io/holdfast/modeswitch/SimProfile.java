package io.holdfast.modeswitch;

import java.util.Locale;

/** The layouts of DECISIONS 13 that are simulated. */
enum SimProfile {
    /** 3 + 3, the active site has the majority. */
    P2(3, false),
    /** 1 + 1. */
    P2_SMALL(1, false),
    /** 2 + 2 + witness. */
    P3(2, true),
    /** 1 + 1 + witness. */
    P3_SMALL(1, true);

    final int size;
    final boolean witness;

    SimProfile(int size, boolean witness) {
        this.size = size;
        this.witness = witness;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static SimProfile of(String word) {
        for (SimProfile profile : values()) {
            if (profile.word().equals(word)) {
                return profile;
            }
        }
        throw new IllegalArgumentException(
                "No profile " + word + "; expected p2, p2-small, p3 or p3-small");
    }
}
