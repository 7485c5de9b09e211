{
    'name': "Xero Connector: Tests",
    'summary': "Tests, browser tours and the sandbox of the Xero connector",
    'version': '19.0.1.0.0',
    'category': 'Hidden/Tests',
    'author': "xero_connector contributors",
    'license': 'LGPL-3',
    'depends': ['xero_connector'],
    'assets': {
        'web.assets_tests': [
            'xero_connector_tests/static/tests/tours/**/*.js',
        ],
    },
}
