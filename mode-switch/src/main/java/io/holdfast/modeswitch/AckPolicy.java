package io.holdfast.modeswitch;

import io.holdfast.standard.FormatException;

/** What becomes of a write that cannot be PROTECTED (DR-PROTOCOL 3.3). One for the whole cluster. */
public enum AckPolicy {
    /** It is acknowledged UNPROTECTED, once the record says that replication is ASYNC. */
    AVAILABILITY("availability"),
    /** It is not acknowledged: refused before it is done, or its outcome is unknown. */
    PROTECTION("protection");

    private final String word;

    AckPolicy(String word) {
        this.word = word;
    }

    /** As it stands in commands and on screens. */
    public String word() {
        return word;
    }

    /** The value of a word. @throws FormatException when there is none */
    public static AckPolicy ofWord(String word) {
        for (AckPolicy policy : values()) {
            if (policy.word.equals(word)) {
                return policy;
            }
        }
        throw new FormatException("ack policy", word, 0, "availability or protection");
    }
}
