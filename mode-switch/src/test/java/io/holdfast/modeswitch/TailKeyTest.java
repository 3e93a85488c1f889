package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.standard.Epoch;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class TailKeyTest {
    private static TailKey key(String lineage, String known, long term, long index) {
        return new TailKey(Epoch.parse(lineage), Epoch.parse(known), term, index);
    }

    private static Optional<TailKey> newest(TailKey... keys) {
        return TailKey.newest(List.of(keys), Function.identity());
    }

    @Test
    void inALineageTheHighestTermThenIndexWins() {
        TailKey later = key("1.local", "1.local", 3, 5);
        assertThat(newest(key("1.local", "1.local", 2, 9), later, key("1.local", "1.local", 3, 4)))
                .contains(later);
        assertThat(newest()).isEmpty();
    }

    @Test
    void aNewerLineageWinsOverALongerLogOfAnOlder() {
        TailKey fork = key("2.dr", "2.dr", 1, 3);
        assertThat(newest(key("1.local", "1.local", 7, 90), fork)).contains(fork);
    }

    /** The old lineage of a planned move ends with the epoch that opens the next one. */
    @Test
    void ofEqualEpochsTheNewerLineageWins() {
        TailKey opened = key("2.dr", "2.dr", 1, 3);
        assertThat(newest(key("1.local", "2.dr", 7, 90), opened)).contains(opened);
        assertThat(newest(opened, key("1.local", "2.dr", 7, 90))).contains(opened);
    }

    /** P3: the fork 3.local failed, and the lineage that it had left went on in 4.dr. */
    @Test
    void aLineageThatWentOnWinsOverAForkThatFailed() {
        TailKey went = key("1.local", "4.dr", 2, 12);
        assertThat(newest(key("3.local", "3.local", 1, 20), went)).contains(went);
    }

    /** One of its members knows the newer epoch, another has the longer log: of a later term. */
    @Test
    void whatOneMemberKnowsOfALineageCountsForAllItsLogs() {
        TailKey knows = key("1.local", "4.dr", 2, 12);
        TailKey longer = key("1.local", "1.local", 5, 13);
        assertThat(newest(knows, key("3.local", "3.local", 1, 20), longer)).contains(longer);
    }
}
