/** Cases that only the recording of OpenEMR 8.0.0 has. */
import type { Json, Resource } from '../../../src/sandbox/fhir/resource.ts';
import { buildPatient } from '../../../src/sandbox/fhir/resources/patient.ts';
import { numbers, type CaseTable, type ConformanceCase } from './cases.ts';
import { plain } from './fhir-cases.ts';
import { loadRecordedData, recordedPatientIds } from './recorded-data.ts';
import type { Stage } from './stage.ts';
import { loadTranscripts } from './transcript.ts';

/** Observations of two patients with vital signs, as the recorded server held them. */
const VITAL_SIGNS = 32;
/** The search that shows the first of them whole. */
const OBSERVATIONS = 924;

/** A create: the id of the new resource is another one each time. */
const create = (rows: Readonly<Record<string, number>>): ConformanceCase => ({
  prepare: (stage) => {
    loadRecordedData(stage);
    addRows(stage, rows);
  },
  compare: { normaliseBody: (body) => ({ ...(body as object), uuid: '<uuid>' }) },
});

/** A request to a server on which patients had been written before. */
const afterWrites: ConformanceCase = {
  prepare: (stage) => {
    loadRecordedData(stage);
    addRows(stage, { Patient: 2 });
    const { records } = stage.sandbox.state;
    const last = records.find('Patient', recordedPatientIds(stage.server.version)[11] ?? '');
    if (last === undefined) throw new Error('the recorded data has no twelfth patient');
    records.put({ ...last, name: [{ use: 'official', family: 'Overridden', given: ['Test12'] }] });
  },
};

/** A request for the vital signs, of which the recording shows the first whole. */
const vitalSigns: ConformanceCase = {
  prepare: (stage) => {
    loadRecordedData(stage);
    const first = firstObservation();
    for (let number = 0; number < VITAL_SIGNS; number += 1) {
      const id = number === 0 ? first.id : crypto.randomUUID();
      stage.sandbox.state.records.put({ ...first, id });
    }
  },
  compare: { sameLength: false },
};

const TOKEN: CaseTable = {
  ...numbers('31 32 48 53 56 63 67 77 79 84 96 101 102 103', {}),
  ...numbers('603 607 609', {}),
  ...numbers('801 802 803 804 805 806 808 809 810 811 812 814', {}),
  ...numbers('821 822 823 824 825 826 827 830 831 832 833 834 835 836 837 841 842 844 845', {}),
  ...numbers('846 847 848 849 851 852 854 855 856 857 858 859 860', {}),
  ...numbers('871 873 874 875 876 877 878 879 880 881 884 885 889 890 892 893 894 934', {}),
};

const READS: CaseTable = {
  ...numbers('302 307 320 322 330 332 336 337 339 341 343 346 347 353 357 371 375 376 378', plain),
  ...numbers('381 387 396 397 399 434 445 446 447 477 479', plain),
  ...numbers('715 716 717 720 722 725 728 734 739', plain),
  ...numbers('901 902 903 906 907 908 909 911 912 914 915 919 920 921 922 927', plain),
  ...numbers('929 930 931 940 941 942 943 945 946 947 948 949 950 951 952 953 954 955', plain),
  ...numbers('956 957 958 959 961 962 965 966 967 969 970 971 972 973 976 977 979', plain),
  ...numbers('981 991 992 993 998 999', plain),
  910: create({}),
  916: create({ Patient: 1 }),
  917: create({ Practitioner: 4 }),
  918: create({ Organization: 3 }),
  ...numbers('928 932 936 960 978 980', afterWrites),
  // It shows all of what was written, of which no more than the number is known.
  935: { ...afterWrites, compare: { sameLength: false } },
  968: {
    ...plain,
    request: ({ server }) => ({ fields: { Host: new URL(server.origin).host } }),
    compare: { sameLength: false },
  },
  // A field that is no Authorization: the token in it is not looked at.
  982: { ...plain, request: { bearer: 'not.looked.at' } },
  983: { ...plain, request: { bearer: 'not.looked.at' } },
};

/** By number of the transcript. */
export const OPENEMR_8_0_0_CASES: CaseTable = {
  ...TOKEN,
  ...READS,
  ...numbers('924 925 926 984 985 986 987 988 990', vitalSigns),
};

/** Adds rows of which nothing is known but that they were there. */
function addRows({ sandbox, server }: Stage, rows: Readonly<Record<string, number>>): void {
  const meta = { versionId: '1', lastUpdated: new Date(server.createdMs).toISOString() };
  for (const [resourceType, count] of Object.entries(rows)) {
    for (let number = 0; number < count; number += 1) {
      const id = crypto.randomUUID();
      sandbox.state.records.put(
        resourceType === 'Patient'
          ? buildPatient({
              id,
              lastUpdatedMs: server.createdMs,
              publicId: '',
              family: 'Posted',
              given: ['New'],
              gender: 'female',
              birthDate: '1990-01-01',
            })
          : { id, meta, resourceType },
      );
    }
  }
}

function firstObservation(): Resource {
  const body = loadTranscripts('8.0.0').get(OBSERVATIONS)?.response.body as {
    entry: { resource: Resource & { meta: { profile?: Json } } }[];
  };
  const shown = body.entry[0]?.resource;
  if (shown === undefined) throw new Error('the recording shows no observation');
  const { versionId, lastUpdated } = shown.meta;
  return { ...shown, meta: { versionId, lastUpdated } };
}
