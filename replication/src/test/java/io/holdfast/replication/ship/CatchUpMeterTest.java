package io.holdfast.replication.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.LogPosition;
import org.junit.jupiter.api.Test;

class CatchUpMeterTest {
    private final CatchUpMeter meter = new CatchUpMeter();

    private static LogPosition at(long offset) {
        return new LogPosition(1, offset);
    }

    @Test
    void whatThePeerHadWasNotMissing() {
        meter.begin(LogPosition.START, at(30), 3, 30);
        meter.had(at(10), 10);
        meter.moved(at(20), 10);
        meter.moved(at(30), 10);
        assertThat(meter.now()).isEqualTo(new ShipStatus.CatchUp(false, 2, 20, 2, 20));
        meter.reached(at(20));
        assertThat(meter.now().done()).isFalse();
        meter.reached(at(30));
        assertThat(meter.now()).isEqualTo(new ShipStatus.CatchUp(true, 2, 20, 2, 20));
    }

    @Test
    void whatCameLaterIsNotPartOfIt() {
        meter.begin(LogPosition.START, at(10), 1, 10);
        meter.moved(at(10), 10);
        meter.moved(at(20), 10);
        meter.had(at(30), 10);
        assertThat(meter.now()).isEqualTo(new ShipStatus.CatchUp(false, 1, 10, 1, 10));
        meter.reached(at(30));
        meter.moved(at(40), 10);
        assertThat(meter.now()).isEqualTo(new ShipStatus.CatchUp(true, 1, 10, 1, 10));
    }

    /** Sent, not acknowledged, and offered again: what was sent twice counts twice as moved. */
    @Test
    void aBrokenConnectionDoesNotMakeItLookSmaller() {
        meter.begin(LogPosition.START, at(30), 3, 30);
        meter.moved(at(10), 10);
        meter.moved(at(20), 10);
        meter.begin(LogPosition.START, at(40), 4, 40);
        meter.had(at(10), 10);
        meter.moved(at(20), 10);
        meter.moved(at(30), 10);
        meter.reached(at(30));
        assertThat(meter.now()).isEqualTo(new ShipStatus.CatchUp(true, 3, 30, 4, 40));
    }

    @Test
    void nothingMissingIsNoCatchUpAndTheLastOneStaysShown() {
        meter.begin(LogPosition.START, at(10), 1, 10);
        meter.moved(at(10), 10);
        meter.reached(at(10));
        meter.begin(at(10), at(10), 0, 0);
        assertThat(meter.now()).isEqualTo(new ShipStatus.CatchUp(true, 1, 10, 1, 10));
        meter.forget();
        assertThat(meter.now()).isEqualTo(ShipStatus.CatchUp.NONE);
    }
}
