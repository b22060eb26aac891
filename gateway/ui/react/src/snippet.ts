/** A worker to copy: ten lines that show up on the page by themselves. */
export const WORKER = `import time
from runtail import Publisher

with Publisher() as publisher:  # or Publisher("redis://…")
    with publisher.execution("import-1", workflow_id="import") as run:
        for page in range(1, 101):
            run.info(f"page {page} of 100", step_name="load")
            run.progress(page)
            time.sleep(0.1)
        run.warning("3 orders have no customer", step_name="check")
`;

/** The same for a worker somewhere else, which reaches the gateway at *url* and nothing behind it. */
export const workerAt = (url: string): string => WORKER.replace(/Publisher\(\) as publisher:.*/, "Publisher(url=" + JSON.stringify(url) + ") as publisher:");
