package io.holdfast.agent;

import io.holdfast.chunk.ChunkStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;

/** A store that answers nobody who asks what it lacks until it is released; then as the one below. */
final class StuckStore {
    /** Somebody has asked and waits. */
    final CountDownLatch asked = new CountDownLatch(1);

    /** Lets all go on, now and later. */
    final CountDownLatch released = new CountDownLatch(1);

    ChunkStore over(ChunkStore store) {
        return (ChunkStore)
                Proxy.newProxyInstance(
                        StuckStore.class.getClassLoader(),
                        new Class<?>[] {ChunkStore.class},
                        (proxy, method, args) -> {
                            if (method.getName().equals("missing")) {
                                asked.countDown();
                                released.await();
                            }
                            try {
                                return method.invoke(store, args);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
