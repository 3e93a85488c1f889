package io.holdfast.node.cli;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.StepView;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The steps of one failover or switchover, told on stderr as they end, each once. While the request is
 * outstanding a thread of its own asks the same node how far it is, one question at a time, until the
 * request has ended; what becomes of the questions changes nothing for the request.
 */
final class MoveSteps {
    private static final long POLL_MILLIS = 300;

    private final UUID operation;
    private final Output output;
    private int told;

    MoveSteps(UUID operation, Output output) {
        this.operation = operation;
        this.output = output;
    }

    /**
     * Makes the request, telling the steps meanwhile, and the last ones when it was answered.
     *
     * @param node that the request is made to
     * @param steps of the answer
     */
    <T> T tellDuring(NodeApi node, Supplier<T> request, Function<T, List<StepView>> steps) {
        Watch watch = new Watch(node);
        Thread poller = Thread.ofVirtual().name("move-steps").start(watch::poll);
        try {
            T answer = request.get();
            watch.tell(steps.apply(answer));
            return answer;
        } catch (ApiException e) {
            switch (e.kind()) {
                // The node has answered: the steps up to its refusal are all there.
                case REFUSED, STALE_EPOCH, FAILED -> watch.look();
                case UNAVAILABLE, UNKNOWN, NOT_FOUND, USAGE -> {}
            }
            throw e;
        } finally {
            watch.close();
            poller.interrupt();
        }
    }

    /** One node that is asked until it is closed; nothing is written from then on. */
    private final class Watch {
        private final NodeApi node;
        private final Output.Progress line = output.progress();
        private boolean closed;

        Watch(NodeApi node) {
            this.node = node;
        }

        void poll() {
            try {
                while (true) {
                    Thread.sleep(POLL_MILLIS);
                    look();
                }
            } catch (InterruptedException e) {
                // The request has ended.
            }
        }

        void look() {
            try {
                MoveView move = node.move(operation);
                tell(move.steps());
                show(move);
            } catch (RuntimeException e) {
                // It has not begun, or cannot be asked at the moment: the request itself will tell.
            }
        }

        void tell(List<StepView> steps) {
            synchronized (MoveSteps.this) {
                for (; !closed && told < steps.size(); told++) {
                    StepView step = steps.get(told);
                    line.note("  " + step.name() + " ... " + Text.millis(step.millis()));
                }
            }
        }

        private void show(MoveView move) {
            synchronized (MoveSteps.this) {
                if (!closed && !move.doing().isEmpty()) {
                    line.show("  " + move.doing() + " ... " + Text.millis(move.doingMillis()));
                }
            }
        }

        void close() {
            synchronized (MoveSteps.this) {
                closed = true;
                line.close();
            }
        }
    }
}
