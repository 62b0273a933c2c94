import { expect } from 'chai';
import { HealthChecks } from '../../../../src/runtime/serving/health-checks.js';
import type { Response } from '../../../../src/runtime/serving/http-server.js';

describe('HealthChecks', () => {
  let checks: HealthChecks;
  let fault: string | undefined;

  beforeEach(() => {
    fault = undefined;
    checks = HealthChecks.create('readyz');
    checks.add('sources', () => fault);
  });

  function ask(target: string): Response | undefined {
    const { pathname: path, searchParams: query } = new URL(target, 'http://localhost');
    return checks.handler({ path, query, authorization: undefined }) as Response | undefined;
  }

  it('says ok and no more while all checks pass', () => {
    expect(ask('/readyz')).to.deep.equal({ status: 200, body: 'ok' });
  });

  it('lists the checks to those who ask', () => {
    expect(ask('/readyz?verbose')).to.deep.equal({
      status: 200,
      body: '[+]ping ok\n[+]sources ok\nreadyz check passed\n',
    });
  });

  it('lists them unasked where one fails, with the reason', () => {
    fault = 'not synced yet: Node';
    expect(ask('/readyz')).to.deep.equal({
      status: 500,
      body: '[+]ping ok\n[-]sources failed: not synced yet: Node\nreadyz check failed\n',
    });
  });

  it('leaves out the checks that are excluded', () => {
    fault = 'broken';
    expect(ask('/readyz?exclude=sources')).to.deep.equal({ status: 200, body: 'ok' });
    expect(ask('/readyz?verbose&exclude=sources')?.body).to.include('[+]sources excluded: ok\n');
    expect(ask('/readyz?exclude=ping')?.status).to.equal(500);
  });

  it('answers for one check alone', () => {
    fault = 'broken';
    expect(ask('/readyz/ping')).to.deep.equal({ status: 200, body: 'ok' });
    expect(ask('/readyz/sources')).to.deep.equal({
      status: 500,
      body: '[-]sources failed: broken\n',
    });
  });

  it('asks each check once a request', () => {
    let asked = 0;
    checks.add('counted', () => {
      asked += 1;
      return undefined;
    });
    ask('/readyz?verbose');
    expect(asked).to.equal(1);
  });

  for (const path of ['/', '/healthz', '/readyz/nothing', '/readyz/ping/more']) {
    it(`knows nothing of ${path}`, () => expect(ask(path)).to.equal(undefined));
  }
});
