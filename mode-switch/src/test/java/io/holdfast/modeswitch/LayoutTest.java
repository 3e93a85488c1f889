package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayoutTest {
    @ParameterizedTest
    @CsvSource({
        "3, 3, 0, true",
        "3, 3, 1, true",
        "3, 3, 2, false",
        "3, 2, 0, true",
        "3, 2, 1, false",
        "3, 1, 0, false",
        "2, 2, 0, false",
        "1, 1, 0, false"
    })
    void theActiveSiteKeepsAMajorityOfItsOwn(int members, int active, int passive, boolean may) {
        assertThat(Layout.passiveMayVote(members, active, passive)).isEqualTo(may);
        if (may) {
            assertThat(2 * active).as("with it").isGreaterThan(active + passive + 1);
        }
    }
}
